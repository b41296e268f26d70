import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { blobKey } from '../../src/registry/keys.ts'
import { s3Server } from '../hosts/s3-server.ts'
import { assertRun, bench } from '../support/bench.ts'
import { manifest } from '../support/cargo.ts'
import { crateFile } from '../support/crate-file.ts'

const s3 = await s3Server()
after(() => s3.close())

test('cargo follows redirects to the bucket without its token, and refuses what is damaged there', async (t) => {
  const { storage, environment } = s3.settings()
  const { server, project, freshHome } = await bench(t, {
    settings: { storage: { s3: { ...storage.s3, redirect: true } } },
    environment,
    options: { packages: { '**': { access: '$authenticated', publish: '$authenticated' } } },
  })
  const crate = crateFile('stored', '1.0.0')
  await server.seed(crate)
  const cwd = await project({ manifest: manifest('app', '1.0.0', DEPENDENCY) })
  // With an `Authorization` beside the signature S3 refuses the request.
  assertRun(await (await freshHome(LOGGED_IN)).cargo(['build'], { cwd }), 0, 'Compiling stored v1.0.0')
  const downloads = server.takeRequests().filter(({ path }) => path.endsWith('/download'))
  assert.deepEqual(
    downloads.map(({ status, user }) => [status, user]),
    [[302, 'ann']],
  )

  const bytes = crate.bytes()
  const damaged = Buffer.from(bytes)
  damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1
  await server.storage.put(blobKey(createHash('sha256').update(bytes).digest('hex')), damaged)
  const refused = await (await freshHome(LOGGED_IN)).cargo(['build'], { cwd })
  assertRun(refused, 101, 'failed to verify the checksum of `stored v1.0.0')
})

const LOGGED_IN = {
  tokens: { ours: 'ann-token' },
  config: { registry: { 'global-credential-providers': ['cargo:token'] } },
}
const DEPENDENCY = `[dependencies]
stored = { version = "1", registry = "ours" }
`
