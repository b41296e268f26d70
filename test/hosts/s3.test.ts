import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdir, realpath, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { s3Storage } from '../../src/hosts/s3.ts'
import { objectStoreContract } from '../../src/testing/index.ts'
import { content, keys } from '../../src/testing/stored-objects.ts'
import { temporaryFolder } from '../support/cargo.ts'
import { s3Server } from './s3-server.ts'
import { simpleS3 } from './simple-s3.ts'

const WRITERS = 64
/** More than a store has connections. */
const READERS = 300
/** Longer than the buffers of a connection that nobody reads from. */
const LONG = 4 * 1024 * 1024

const server = await s3Server()
const simple = await simpleS3()
after(async () => {
  await simple.close()
  await server.close()
})
/** A bucket in a store that lets every writer win. */
const lax = { ...server.options(simple.url), selfTest: true }

objectStoreContract('s3Storage()', async (context) => {
  const store = await s3Storage(server.options())
  context.after(() => store.close())
  return store
})

test('s3Storage() is for several writers after its self-test, which leaves nothing', async (t) => {
  const options = server.options()
  const tested = await s3Storage({ ...options, selfTest: true })
  const untested = await s3Storage(options)
  t.after(() => Promise.all([tested.close(), untested.close()]))
  assert.equal(tested.multiWriter, true)
  assert.equal(untested.multiWriter, false)
  assert.deepEqual(await keys(untested, ''), [])
})

test('s3Storage() refuses a store that lets two writers win', async () => {
  await assert.rejects(
    s3Storage(lax),
    /^Error: publishes could be lost: of 64 writers of one new object, (\d\d) won: use a store with conditional writes/,
  )
  assert.deepEqual(simple.keys(), [])
})

test('s3Storage() refuses a store that refuses conditions', async (t) => {
  const store = await simpleS3({ refusesConditions: true })
  t.after(() => store.close())
  await assert.rejects(
    s3Storage({ ...lax, endpoint: store.url }),
    /it refuses conditional writes: use a store/,
  )
})

test('s3Storage() for a single writer has one winner on any store, and says that it is single', async (t) => {
  const store = await s3Storage({ ...lax, singleWriter: true })
  t.after(() => store.close())
  assert.equal(store.multiWriter, false)
  const names = Array.from({ length: WRITERS }, (_, writer) => `writer ${writer}`)
  const won = await Promise.all(names.map((name) => store.put('a', Buffer.from(name), { ifAbsent: true })))
  const holder = (await content(store, 'a'))?.toString()
  assert.deepEqual(
    names.filter((_, writer) => won[writer]),
    [holder],
  )
  assert.equal(await store.put('a', Buffer.from('new')), true)
  assert.equal((await content(store, 'a'))?.toString(), 'new')
})

test('s3Storage() does not take the whole of an object for a part of it', async (t) => {
  const store = await s3Storage({ ...lax, selfTest: false })
  t.after(() => store.close())
  await store.put('whole', Buffer.from('0123456789'))
  await assert.rejects(store.get('whole', { start: 2, end: 4 }), { code: 'unavailable' })
  assert.equal((await store.stat('whole'))?.size, 10)
})

test('s3Storage() has connections for others while many read slowly', async (t) => {
  const store = await s3Storage({ ...server.options(), timeout: 3_000 })
  const bodies: Readable[] = []
  t.after(async () => {
    for (const body of bodies) body.destroy()
    await store.close()
  })
  await store.put('long', Buffer.alloc(LONG))
  await store.put('short', Buffer.from('short'))
  const reading = Array.from({ length: READERS }, async () => {
    const found = await store.get('long')
    if (found !== undefined) bodies.push(found.body)
  })
  const outcomes = await Promise.allSettled(reading)
  const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  assert.ok(refused.length > 0 && bodies.length > 100, `${refused.length} refused, ${bodies.length} not`)
  for (const reason of refused) assert.equal(reason.code, 'unavailable')
  assert.equal((await store.stat('short'))?.size, 5)
  assert.equal(await store.put('another', Buffer.from('another'), { ifAbsent: true }), true)
  // Whoever waits gets the place of the next one that leaves.
  const next = store.get('long')
  bodies.pop()?.destroy()
  const found = await next
  assert.equal((await buffer(found?.body ?? Readable.from([]))).length, LONG)
})

test('s3Storage() keeps to its prefix', async (t) => {
  const options = server.options()
  const outer = await s3Storage(options)
  const inner = await s3Storage({ ...options, prefix: `${options.prefix}inner/` })
  t.after(() => Promise.all([outer.close(), inner.close()]))
  await inner.put('a/b', Buffer.from('x'))
  await outer.put('c', Buffer.from('y'))
  assert.deepEqual(await keys(inner, ''), ['a/b'])
  assert.deepEqual(await keys(outer, ''), ['c', 'inner/a/b'])
})

test('s3Storage() signs URLs only when it is told to, and says which package that needs', async (t) => {
  const folder = await temporaryFolder(t)
  const plain = await s3Storage(server.options())
  const signing = await s3Storage({ ...server.options(), redirect: true, singleWriter: true })
  t.after(() => Promise.all([plain.close(), signing.close()]))
  assert.equal(plain.signedUrl, undefined)
  await signing.put('a/b+c', Buffer.from('x'))
  const url = await signing.signedUrl?.('a/b+c', 60, { type: 'text/plain', filename: 'x.txt' })
  assert.equal(await (await fetch(url ?? '')).text(), 'x')

  const root = join(import.meta.dirname, '..', '..')
  for (const part of ['package.json', 'src/errors.ts', 'src/host.ts', 'src/hosts'])
    await cp(join(root, part), join(folder, part), { recursive: true })
  await mkdir(join(folder, 'node_modules/@aws-sdk'), { recursive: true })
  const client = 'node_modules/@aws-sdk/client-s3'
  await symlink(await realpath(join(root, client)), join(folder, client))
  const program = `import { s3Storage } from './src/hosts/s3.ts'
    await s3Storage({ bucket: 'crates', region: 'us-east-1', redirect: true }).catch(({ message }) => console.log(message))`
  await writeFile(join(folder, 'program.ts'), program)
  const { stdout } = await promisify(execFile)(process.execPath, ['program.ts'], { cwd: folder })
  assert.equal(
    stdout,
    'redirecting downloads to S3 needs a package that is missing: `npm install @aws-sdk/s3-request-presigner`\n',
  )
})

test('s3Storage() tells wrong credentials, another bucket and a store that is away as failures', async (t) => {
  const options = server.options()
  const credentials = { accessKeyId: 'test', secretAccessKey: 'wrong' }
  for (const wrong of [
    { ...options, credentials },
    { ...options, bucket: 'elsewhere' },
    { ...options, endpoint: 'http://127.0.0.1:1' },
  ]) {
    const store = await s3Storage(wrong)
    t.after(() => store.close())
    await assert.rejects(store.stat('a'), { code: 'unavailable' })
    await assert.rejects(keys(store, ''), { code: 'unavailable' })
    await assert.rejects(s3Storage({ ...wrong, selfTest: true }), { code: 'unavailable' })
  }
})
