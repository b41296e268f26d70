import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { assertRun, bench } from '../support/bench.ts'
import { manifest } from '../support/cargo.ts'
import { crateFile } from '../support/crate-file.ts'
import type { ServerSpec } from '../support/server.ts'

const FOLDER = join(import.meta.dirname, '../../examples/client')

/** The server that each file is for, and how a project names a crate of it. */
const FILES: Readonly<Record<string, { readonly server: ServerSpec; readonly dependency: string }>> = {
  'registry.toml': { server: {}, dependency: '{ version = "1", registry = "acme" }' },
  'auth-required.toml': {
    server: { options: { auth_required: true } },
    dependency: '{ version = "1", registry = "acme" }',
  },
  'https.toml': { server: { transport: 'https' }, dependency: '{ version = "1", registry = "acme" }' },
  'source-replacement.toml': { server: {}, dependency: '"1"' },
}

test('every example of a client is tried', async () => {
  assert.deepEqual((await readdir(FOLDER)).sort(), Object.keys(FILES).sort())
})

describe('cargo', { concurrency: 2 }, () => {
  for (const [file, { server: spec, dependency }] of Object.entries(FILES)) {
    test(`logs in, publishes and fetches with ${file}`, async (t) => {
      const { server, project, freshHome } = await bench(t, spec)
      await server.seed(crateFile('there'))
      const toml = await readFile(join(FOLDER, file), 'utf8')
      const home = await freshHome({ registries: {} })
      await writeFile(
        join(home.folder, 'config.toml'),
        toml
          .replaceAll(/https?:\/\/(127\.0\.0\.1:8081|crates\.example\.org)\/cargo/g, server.url)
          .replace('/etc/ssl/certs/acme-ca.pem', server.ca ?? ''),
      )
      assertRun(await home.cargo(['login', '--registry', 'acme'], { input: 'ann-token' }), 0, 'saved')
      const mine = await project({ manifest: manifest('mine') })
      const publish = ['publish', '--registry', 'acme', '--no-verify']
      assertRun(await home.cargo(publish, { cwd: mine }), 0, 'Published mine v1.0.0 at registry `acme`')
      const app = await project({
        manifest: manifest('app', '1.0.0', `[dependencies]\nthere = ${dependency}\nmine = ${dependency}\n`),
      })
      assertRun(await home.cargo(['fetch'], { cwd: app }), 0, 'Downloaded there v1.0.0', 'mine v1.0.0')
    })
  }
})
