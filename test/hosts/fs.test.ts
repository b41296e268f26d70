import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import type { ObjectStore } from '../../src/host.ts'
import { fsStorage } from '../../src/hosts/fs.ts'
import { objectStoreContract } from '../../src/testing/index.ts'

const MiB = 1024 * 1024
const DAY_MS = 24 * 60 * 60 * 1000

objectStoreContract('fsStorage()', (context) => fsStorage(join(folder(context), 'made/when/used')))

test('put() leaves no temporary file behind, however it ends', async (context) => {
  const root = folder(context)
  const store = fsStorage(root)
  await store.put('a/b', Buffer.from('x'), { ifAbsent: true })
  await store.put('a/b', Buffer.from('x'), { ifAbsent: true })
  await store.put('a/b', Buffer.from('y'))
  await assert.rejects(store.put('a/c', Readable.from(failing())))
  await assert.rejects(store.put('a/c', Buffer.from('x'), { after: Promise.reject(new Error('before it')) }))
  assert.deepEqual(readdirSync(join(root, 'a')), ['b'])
})

test('put() sweeps temporary files that are older than a day, and no others', async (context) => {
  const root = folder(context)
  mkdirSync(join(root, 'a'))
  for (const [name, age] of [
    ['~old', 2 * DAY_MS],
    ['~young', DAY_MS / 2],
    ['old', 9 * DAY_MS],
  ] as const) {
    writeFileSync(join(root, 'a', name), name)
    utimesSync(join(root, 'a', name), new Date(), new Date(Date.now() - age))
  }
  const store = fsStorage(root)
  assert.deepEqual(await keys(store), ['a/old'])
  await store.put('a/b', Buffer.from('x'))
  assert.deepEqual(readdirSync(join(root, 'a')).sort(), ['b', 'old', '~young'])
})

test('put() makes a folder again that was taken away', async (context) => {
  const root = folder(context)
  const store = fsStorage(root)
  await store.put('a/b/c', Buffer.from('x'))
  rmSync(join(root, 'a'), { recursive: true })
  assert.equal(await store.stat('a/b/c'), undefined)
  assert.equal(await store.put('a/b/c', Buffer.from('y'), { ifAbsent: true }), true)
  assert.deepEqual(await keys(store), ['a/b/c'])
})

test('a root that is made is for its owner only; one that is there stays as it is', async (context) => {
  const parent = folder(context)
  for (const [root, mode] of [
    ['new/root', 0o700],
    ['shared', 0o755],
  ] as const) {
    if (root === 'shared') mkdirSync(join(parent, root), { mode })
    await fsStorage(join(parent, root)).put('secrets/a', Buffer.from('a'))
    assert.equal(statSync(join(parent, root)).mode & 0o777, mode)
  }
})

test('every call is unavailable, not absent, when the root is taken away', async (context) => {
  const root = join(folder(context), 'root')
  const store = fsStorage(root)
  await store.put('a/b', Buffer.from('x'))
  renameSync(root, `${root}-away`)
  await everyCallFails(store, 'a/b')
  await assert.rejects(keys(store), { code: 'unavailable', status: 503 })
  renameSync(`${root}-away`, root)
  assert.deepEqual(await keys(store), ['a/b'])
})

test('every call is unavailable, not absent, when a folder is where a file should be', async (context) => {
  const root = folder(context)
  mkdirSync(join(root, 'a/b'), { recursive: true })
  await everyCallFails(fsStorage(root), 'a/b')
})

test('every call is unavailable, not absent, when a file is where a folder should be', async (context) => {
  const root = folder(context)
  writeFileSync(join(root, 'a'), 'x')
  await everyCallFails(fsStorage(root), 'a/b')
})

test('reads are unavailable when the system refuses them (a loop of links)', async (context) => {
  const root = folder(context)
  symlinkSync('loop', join(root, 'loop'))
  const store = fsStorage(root)
  await assert.rejects(store.get('loop'), { code: 'unavailable' })
  await assert.rejects(store.stat('loop'), { code: 'unavailable' })
  await assert.rejects(keys(store), { code: 'unavailable' })
})

test('list() follows a folder that was moved to another place', async (context) => {
  const [root, elsewhere] = [folder(context), folder(context)]
  writeFileSync(join(elsewhere, 'x'), 'x')
  symlinkSync(elsewhere, join(root, 'a'))
  const store = fsStorage(root)
  await store.put('a-b', Buffer.from('y'))
  assert.deepEqual(await keys(store), ['a-b', 'a/x'])
})

test('list() does not read folders that lie before `after`', async (context) => {
  const root = folder(context)
  const store = fsStorage(root)
  await store.put('b/x', Buffer.from('x'))
  mkdirSync(join(root, 'a'))
  symlinkSync('loop', join(root, 'a/loop'))
  await assert.rejects(keys(store), { code: 'unavailable' })
  assert.deepEqual(await keys(store, 'a0'), ['b/x'])
})

test('put() is storage_full on a full volume, leaves no trace, and heals', async (context) => {
  const root = smallVolume(context)
  const store = fsStorage(root)
  await store.put('kept', randomBytes(300_000))
  const full = { code: 'storage_full', status: 507 }
  for (const ifAbsent of [true, false]) {
    await assert.rejects(store.put('a/bytes', randomBytes(MiB), { ifAbsent }), full)
    await assert.rejects(store.put('a/stream', Readable.from(chunks(2 * MiB)), { ifAbsent }), full)
    await assert.rejects(store.put('kept', randomBytes(MiB)), full)
  }
  assert.deepEqual(readdirSync(join(root, 'a')), [])
  assert.equal((await store.stat('kept'))?.size, 300_000)
  await store.delete('kept')
  assert.equal(await store.put('a/bytes', randomBytes(600_000), { ifAbsent: true }), true)
})

test('a read-only volume is read, and unavailable for writes', async (context) => {
  const root = smallVolume(context)
  await fsStorage(root).put('a/b', Buffer.from('x'))
  execFileSync('mount', ['-o', 'remount,ro', root])
  const store = fsStorage(root)
  assert.deepEqual(await keys(store), ['a/b'])
  assert.equal((await store.stat('a/b'))?.size, 1)
  assert.equal(await store.stat('a/c'), undefined)
  for (const key of ['a/b', 'a/c', 'c/d']) {
    await assert.rejects(store.put(key, Buffer.from('y')), { code: 'unavailable', status: 503 })
  }
})

async function everyCallFails(store: ObjectStore, key: string): Promise<void> {
  const failure = { name: 'CargoError', code: 'unavailable', status: 503 }
  await assert.rejects(store.get(key), failure)
  await assert.rejects(store.stat(key), failure)
  await assert.rejects(async () => store.open?.(key), failure)
  await assert.rejects(store.put(key, Buffer.from('x')), failure)
  await assert.rejects(store.put(key, Buffer.from('x'), { ifAbsent: true }), failure)
  await assert.rejects(store.delete(key), failure)
}

async function keys(store: ObjectStore, after = ''): Promise<string[]> {
  const found: string[] = []
  for await (const { key } of store.list('', { after })) found.push(key)
  return found
}

function folder(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'fs-storage-'))
  context.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A file system of 1 MiB. */
function smallVolume(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'fs-storage-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path], { stdio: 'pipe' })
  } catch (cause) {
    rmSync(path, { recursive: true })
    throw new Error('this test needs root and the right to mount a tmpfs (in Docker: --cap-add SYS_ADMIN)', {
      cause,
    })
  }
  context.after(() => {
    execFileSync('umount', [path])
    rmSync(path, { recursive: true })
  })
  return path
}

function* chunks(size: number): Generator<Buffer> {
  for (let sent = 0; sent < size; sent += 65_536) yield randomBytes(65_536)
}

function* failing(): Generator<Buffer> {
  yield Buffer.from('half')
  throw new Error('the source failed')
}
