import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { examine } from '../../src/server/doctor.ts'
import { createServer, parseConfig } from '../../src/server/index.ts'
import { createUserToken } from '../../src/server/token.ts'
import { verify } from '../../src/server/verify.ts'
import { type S3Settings, s3Server } from '../hosts/s3-server.ts'
import { simpleS3 } from '../hosts/simple-s3.ts'
import { temporaryFolder } from '../support/cargo.ts'
import { crateFile } from '../support/crate-file.ts'
import { startServer } from '../support/server.ts'

const TOKEN = 'ann-token'
const PACKAGES = { '**': { access: '$all', publish: '$authenticated', unpublish: '$authenticated' } }
const logger = { debug() {}, info() {}, warn() {}, error() {} }

const s3 = await s3Server()
const lax = await simpleS3()
after(async () => {
  await lax.close()
  await s3.close()
})

test('a registry in S3 publishes, serves, yanks, removes and finds', async (t) => {
  const settings = s3.settings()
  const server = await startServer(t, { ...specOf(settings), options: { packages: PACKAGES } })
  const [old, young] = [crateFile('stored', '1.0.0'), crateFile('stored', '1.1.0')]
  await server.seed(old, young)
  const entries = await server.entries('stored')
  assert.deepEqual(
    entries.map(({ vers, yanked }) => [vers, yanked]),
    [
      ['1.0.0', false],
      ['1.1.0', false],
    ],
  )
  const file = '/api/v1/crates/stored/1.0.0/download'
  const whole = Buffer.from(await (await fetch(server.url + file)).arrayBuffer())
  assert.equal(createHash('sha256').update(whole).digest('hex'), entries[0]?.cksum)
  const part = await fetch(server.url + file, { headers: { range: 'bytes=10-19' } })
  assert.equal(part.status, 206)
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), whole.subarray(10, 20))
  const head = await server.send(file, { method: 'HEAD' })
  assert.equal(head.headers['content-length'], String(whole.length))
  assert.equal((await server.send(file, { headers: { range: 'bytes=9999999-' } })).status, 416)

  const yank = { method: 'DELETE', token: TOKEN }
  assert.equal((await server.send('/api/v1/crates/stored/1.0.0/yank', yank)).status, 200)
  assert.equal((await server.entries('stored'))[0]?.yanked, true)
  assert.equal((await server.send('/api/v1/crates/stored/1.1.0', yank)).status, 200)
  assert.equal((await server.entries('stored')).length, 1)
  assert.equal((await server.send('/api/v1/crates/stored/1.1.0/download')).status, 404)
  assert.equal((await server.send('/st/or/stored')).status, 200)
  assert.equal((await server.send('/ab/se/absent')).status, 404)

  const other = await startServer(t, { ...specOf(settings), options: { packages: PACKAGES } })
  assert.deepEqual(await other.entries('stored'), await server.entries('stored'))
  const search = async () => (await other.send('/api/v1/crates?q=stored')).text
  for (let tries = 0; !(await search()).includes('"max_version":"1.0.0"'); tries++) {
    assert.ok(tries < 100, await search())
    await sleep(200)
  }
})

test('a registry whose S3 is away answers 503, and never that a crate is absent', async (t) => {
  const own = await s3Server()
  t.after(() => own.close())
  const server = await startServer(t, specOf(own.settings()))
  await server.seed(crateFile('stored', '1.0.0'))
  await own.close()
  for (const path of [
    '/ab/se/absent',
    '/api/v1/crates/stored/1.0.0/download',
    '/api/v1/crates/absent/owners',
  ])
    assert.equal((await server.send(path, { token: TOKEN })).status, 503, path)
})

test('createServer() does not start on a store in S3 that cannot be used, and names the setting', async () => {
  const settings = s3.settings()
  const refusals: readonly (readonly [changes: object, environment: object, message: RegExp])[] = [
    [
      {},
      {},
      /^invalid configuration: `storage\.s3\.access_key_id_env`: the environment variable `S3_ID` is not set$/,
    ],
    [
      { endpoint: lax.url, self_test: true },
      settings.environment,
      /^invalid configuration: `storage\.s3`: bucket `crates` under `[^`]+` at `http:[^`]+`: publishes could be lost: of 64 writers of one new object, \d+ won: use a store with conditional writes \(`If-None-Match: \*`\), or one writing process only$/,
    ],
    [
      { bucket: 'elsewhere', self_test: true },
      settings.environment,
      /^invalid configuration: `storage\.s3`: bucket `elsewhere` .*: The specified bucket does not exist/,
    ],
  ]
  for (const [changes, environment, message] of refusals)
    await assert.rejects(start(settings, changes, { ...environment }), { name: 'ConfigError', message })
})

test('createServer() tries the store out, and takes one without conditions for a single writer', async (t) => {
  const settings = s3.settings()
  const tested = await start(settings, { self_test: true }, settings.environment)
  t.after(() => tested.close())
  assert.equal(tested.storage.multiWriter, true)
  const changes = { endpoint: lax.url, self_test: true, single_writer: true }
  const single = await start(settings, changes, settings.environment)
  t.after(() => single.close())
  assert.equal(single.storage.multiWriter, false)
})

test('doctor and verify look after a registry in S3', async (t) => {
  const settings = s3.settings()
  const { out, sources } = await command(t, settings)
  assert.match(await out((stream) => examine(sources, { url: undefined, write: false }, stream)), DOCTOR)
  await assert.rejects(
    out((stream) => verify(sources, verifying(stream))),
    /there is no registry in bucket `crates` under `[^`]+` at `[^`]+`: it is empty/,
  )
  const server = await startServer(t, specOf(settings))
  await server.seed(crateFile('stored', '1.0.0'))
  const printed = await out((stream) => verify(sources, verifying(stream)))
  assert.match(printed, /^1 blobs, 1 crates with 1 changes/)
  assert.match(printed, /\n0 findings, 0 of them repaired\n$/)
  const token = await out((stream) =>
    createUserToken(
      sources,
      { user: 'mia', groups: [], crates: [], actions: [] },
      { out: stream, err: stream },
    ),
  )
  const publish = { method: 'PUT', token: token.split('\n')[0] ?? '', body: Buffer.from('x') }
  assert.equal((await server.send('/api/v1/crates/new', publish)).status, 400)
})

test('doctor says what is wrong with a bucket', async (t) => {
  const settings = s3.settings()
  const elsewhere = { storage: { s3: { ...settings.storage.s3, bucket: 'elsewhere' } } }
  for (const [wrong, line] of [
    [
      elsewhere,
      /wrong {3}storage: bucket `elsewhere` .* cannot be used: The specified bucket does not exist.*: look at `storage\.s3`/,
    ],
    [
      { storage: { s3: { ...settings.storage.s3, endpoint: lax.url } } },
      /wrong {3}storage: of 64 writers of one new key, \d+ won: publishes could be lost: use an S3 server with conditional writes/,
    ],
  ] as const) {
    const { out, sources } = await command(t, { ...settings, ...wrong })
    const printed = await out((stream) => examine(sources, { url: undefined, write: false }, stream))
    assert.match(printed, line)
  }
})

const DOCTOR =
  /ok {6}storage: bucket `crates` under `[^`]+` at `http:[^`]+`\n.*storage: (write|a durable write).*\nok {6}storage: of 64 writers of one new key, one wins\n(ok|wrong) +storage: .* for temporary files/

function specOf({ storage, environment }: S3Settings) {
  return { settings: { storage }, environment }
}

function start({ storage }: S3Settings, changes: object, environment: Readonly<Record<string, string>>) {
  const config = { listen: '127.0.0.1:0', storage: { s3: { ...storage.s3, ...changes } } }
  return createServer(parseConfig(config), { environment, logger })
}

/** A file with settings, and a way to see what a command prints. */
async function command(t: TestContext, { storage, environment }: S3Settings) {
  const folder = await temporaryFolder(t)
  const file = join(folder, 'config.yaml')
  await writeFile(file, JSON.stringify({ listen: '127.0.0.1:1', storage, cargo: { uplinks: {} } }))
  async function out(run: (stream: PassThrough) => Promise<unknown>): Promise<string> {
    const stream = new PassThrough()
    await run(stream)
    stream.end()
    return text(stream)
  }
  return { out, sources: { file, environment, workingDirectory: folder } }
}

function verifying(out: PassThrough) {
  return { out, err: new PassThrough(), repair: false, signal: new AbortController().signal }
}
