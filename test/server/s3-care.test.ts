import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, type TestContext, test } from 'node:test'
import { fsStorage } from '../../src/hosts/fs.ts'
import { s3Storage } from '../../src/hosts/s3.ts'
import { backUp, restore } from '../../src/server/backup.ts'
import { collect } from '../../src/server/gc.ts'
import { faultProxy } from '../hosts/s3-fault-proxy.ts'
import { type S3Settings, s3Server } from '../hosts/s3-server.ts'
import { temporaryFolder } from '../support/cargo.ts'
import { crateFile } from '../support/crate-file.ts'
import { startServer } from '../support/server.ts'
import { keysOf } from '../support/watched-store.ts'

const s3 = await s3Server()
const proxy = await faultProxy(s3.url)
after(async () => {
  await proxy.close()
  await s3.close()
})

/** A file with settings, and what a command on them makes of it and prints. */
async function command(t: TestContext, { storage, environment }: S3Settings, endpoint = s3.url) {
  const folder = await temporaryFolder(t)
  const file = join(folder, 'config.yaml')
  const s3 = { ...storage.s3, endpoint }
  await writeFile(file, JSON.stringify({ listen: '127.0.0.1:1', storage: { s3 }, cargo: { uplinks: {} } }))
  const sources = { file, environment, workingDirectory: folder }
  async function run<T>(work: (parts: { out: PassThrough; err: PassThrough }) => Promise<T>) {
    const [out, err] = [new PassThrough(), new PassThrough()]
    const result = await work({ out, err })
    out.end()
    return { result, printed: await text(out) }
  }
  return { sources, run }
}

const never = new AbortController().signal

test('a registry in a bucket is backed up, and restored into an empty one in as many goes as it takes', async (t) => {
  const [origin, target] = [s3.settings(), s3.settings()]
  const server = await startServer(t, {
    settings: { storage: origin.storage },
    environment: origin.environment,
  })
  await server.seed(...Array.from({ length: 12 }, (_, n) => crateFile(`crate-${n % 3}`, `1.${n}.0`)))
  const copy = join(await temporaryFolder(t), 'copy')
  const from = await command(t, origin)
  const backup = () => from.run((parts) => backUp(from.sources, copy, { ...parts, signal: never }))
  assert.equal((await backup()).result, true)
  const again = await backup()
  assert.match(again.printed, / objects copied, .*; 24 were there already\n$/)

  const to = await command(t, target, proxy.url)
  const refill = (signal = never, force = false) =>
    to.run((parts) => restore(to.sources, { folder: copy, force }, { ...parts, signal }))
  let puts = 0
  const stop = new AbortController()
  proxy.plan(({ method }) => {
    if (method === 'PUT' && ++puts === 6) stop.abort()
    return undefined
  })
  const stopped = await refill(stop.signal)
  assert.deepEqual(stopped, { result: false, printed: 'stopped: the next run goes on from here\n' })
  proxy.plan(({ method }) =>
    method === 'PUT' && ++puts > 20 ? { kind: 'answer', status: 403, code: 'AccessDenied' } : undefined,
  )
  await assert.rejects(refill(), /^Mistake: bucket `crates` under .*: made up$/)
  proxy.plan(() => undefined)
  const restored = await refill()
  assert.equal(restored.result, true, restored.printed)
  assert.match(restored.printed, /^(\d|1\d) objects copied, .*; ([6-9]|1\d) were there already\n/)
  assert.match(restored.printed, /12 blobs, 3 crates with 12 changes/)

  const truth = (keys: readonly string[]) => keys.filter((key) => /^(crates|blobs|restore)\//.test(key))
  const store = await s3Storage({ ...s3.options(), prefix: target.storage.s3.prefix })
  t.after(() => store.close())
  assert.deepEqual(truth(await keysOf(store)), truth(await keysOf(fsStorage(copy))))
  const served = await startServer(t, {
    settings: { storage: target.storage },
    environment: target.environment,
  })
  assert.deepEqual(await served.entries('crate-1'), await server.entries('crate-1'))
  await assert.rejects(refill(), /has crates already, such as `crates\/.*`: empty it, or give `--force`/)
})

test('restore with `--force` adds what is not there, and leaves alone what is', async (t) => {
  const [origin, target] = [s3.settings(), s3.settings()]
  const server = await startServer(t, {
    settings: { storage: origin.storage },
    environment: origin.environment,
  })
  await server.seed(crateFile('old'))
  const copy = join(await temporaryFolder(t), 'copy')
  const from = await command(t, origin)
  await from.run((parts) => backUp(from.sources, copy, { ...parts, signal: never }))
  const other = await startServer(t, {
    settings: { storage: target.storage },
    environment: target.environment,
  })
  await other.seed(crateFile('new'))
  const token = `tokens/${'ab'.repeat(32)}.json`
  await other.storage.put(token, Buffer.from('made since'))
  const to = await command(t, target)
  await to.run((parts) => restore(to.sources, { folder: copy, force: true }, { ...parts, signal: never }))
  assert.equal((await other.storage.stat(token))?.size, 'made since'.length)
  const fresh = await startServer(t, {
    settings: { storage: target.storage },
    environment: target.environment,
  })
  for (const name of ['old', 'new']) assert.equal((await fresh.entries(name)).length, 1, name)
})

test('gc works on a bucket', async (t) => {
  const settings = s3.settings()
  const server = await startServer(t, {
    settings: { storage: settings.storage },
    environment: settings.environment,
  })
  await server.seed(crateFile('kept'))
  await server.storage.put(`blobs/sha256/ab/${'ab'.repeat(32)}`, Buffer.from('an upload that failed'))
  const { sources, run } = await command(t, settings)
  const { printed } = await run(({ out }) =>
    collect(sources, { out, grace: 0, dryRun: false, signal: never }),
  )
  assert.match(printed, /^removed 1 blob, .*, that nobody referenced\n/)
  assert.match(printed, /\n1 blob, .*, stay\n$/)
  assert.equal((await keysOf(server.storage, 'blobs/')).length, 1)
})
