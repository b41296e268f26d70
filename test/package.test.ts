import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { temporaryFolder } from './support/cargo.ts'

const ROOT = join(import.meta.dirname, '..')
const run = promisify(execFile)

/** What a user of the package writes, typed. */
const PROGRAM = `
import { cargo, CargoError, type Host } from 'verdaccio-cargo'
import { indexPath, parsePublishBody, encodePublishBody, isValidSemver } from 'verdaccio-cargo/protocol'
import { memoryStorage } from 'verdaccio-cargo/hosts/memory'
import { fsStorage } from 'verdaccio-cargo/hosts/fs'
import { type S3Storage, s3Storage } from 'verdaccio-cargo/hosts/s3'
import { createServer, parseConfig } from 'verdaccio-cargo/server'
import { objectStoreContract } from 'verdaccio-cargo/testing'
const host: Host = { auth: { authenticate: async () => undefined, authorize: async () => true }, storage: memoryStorage() }
const plugin = cargo(host, { mount: '/crates' })
const store: S3Storage | string = await s3Storage({ bucket: 'crates' }).catch((error) => error.message)
console.log(JSON.stringify([store, plugin.mount, indexPath('Serde'), isValidSemver('1.0.0'),
  [parsePublishBody, encodePublishBody, fsStorage, createServer, parseConfig, objectStoreContract, CargoError].map((one) => typeof one)]))
`

test('npm pack gives a package that installs, runs and types', { timeout: 170_000 }, async (t) => {
  const folder = await temporaryFolder(t)
  const env = { ...process.env, npm_config_fund: 'false', npm_config_audit: 'false' }
  // Built by the caller (`pretest`): building here would pull the files from under the other tests.
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: ROOT,
    env,
  })
  const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }]
  const paths = files.map(({ path }) => path)
  for (const wanted of [
    'plugin.json',
    'README.md',
    'LICENSE',
    'dist/index.js',
    'dist/index.d.ts',
    'dist/server/main.js',
  ]) {
    assert.ok(paths.includes(wanted), wanted)
  }
  assert.deepEqual(
    paths.filter(
      (path) =>
        !/^(dist\/|plugin\.json$|examples\/verdaccio\/|package\.json$|README\.md$|LICENSE$|CHANGELOG\.md$)/.test(
          path,
        ),
    ),
    [],
  )

  await writeFile(join(folder, 'package.json'), '{"private":true,"type":"module"}')
  await run(
    'npm',
    ['install', '--omit=dev', join(folder, filename), 'typescript@7.0.2', '@types/node@24', '@types/koa@3'],
    { cwd: folder, env },
  )
  await writeFile(join(folder, 'program.ts'), PROGRAM)
  const { stdout: printed } = await run(process.execPath, ['program.ts'], { cwd: folder })
  const missing = 'storage in S3 needs a package that is missing: `npm install @aws-sdk/client-s3`'
  assert.deepEqual(JSON.parse(printed), [missing, '/crates', 'se/rd/serde', true, Array(7).fill('function')])
  const flags = [
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2024',
    '--types',
    'node',
    '--skipLibCheck',
    'program.ts',
  ]
  await run(process.execPath, [join(folder, 'node_modules/typescript/bin/tsc'), ...flags], { cwd: folder })
  const manifest = JSON.parse(
    await readFile(join(folder, 'node_modules/verdaccio-cargo/plugin.json'), 'utf8'),
  )
  assert.equal(manifest.format, 'cargo')
  const help = await run(join(folder, 'node_modules/.bin/verdaccio-cargo'), ['--help'], { cwd: folder })
  assert.match(help.stdout, /import/)
})
