import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import test, { type TestContext } from 'node:test'
import { CargoError } from '../../src/errors.ts'
import { createSpool } from '../../src/registry/spool.ts'
import { pieces } from '../support/inspection.ts'

const KiB = 1024
/** The largest that stays in memory. */
const LIMIT = 512 * KiB

async function* source(bytes: Buffer, failure?: Error): AsyncGenerator<Buffer> {
  yield* pieces(bytes, 100 * KiB)
  if (failure) throw failure
}

/** A folder of one's own for temporary files, so that what others leave does not count. */
async function ownTemporaryFolder(t: TestContext): Promise<string> {
  const before = process.env['TMPDIR']
  const folder = await mkdtemp(join(tmpdir(), 'spool-test-'))
  process.env['TMPDIR'] = folder
  t.after(async () => {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
    await rm(folder, { recursive: true })
  })
  return folder
}

/** How many files under `folder` this process has open, deleted ones included. */
async function openFiles(folder: string): Promise<number> {
  const links = await Promise.all(
    (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
  )
  return links.filter((link) => link.startsWith(folder)).length
}

const onlyLinux = { skip: process.platform !== 'linux' && 'needs /proc' }

test('createSpool() measures and gives back bytes of any size, more than once', async (t) => {
  await ownTemporaryFolder(t)
  for (const size of [0, 1, LIMIT - 1, LIMIT, LIMIT + 1, 1000 * KiB + 7]) {
    const bytes = randomBytes(size)
    const spool = await createSpool(source(bytes))
    assert.equal(spool.size, size)
    assert.equal(spool.sha256, createHash('sha256').update(bytes).digest('hex'))
    const [one, two] = await Promise.all([buffer(spool.stream()), buffer(spool.stream())])
    assert.ok(bytes.equals(one) && bytes.equals(two), `${size} bytes, at the same time`)
    const unread = spool.stream()
    unread.destroy()
    assert.ok(bytes.equals(await buffer(spool.stream())), `${size} bytes, once more`)
    await spool.dispose()
  }
})

test('createSpool() uses a file without a name for large bytes only', onlyLinux, async (t) => {
  const folder = await ownTemporaryFolder(t)
  for (const [size, files] of [
    [LIMIT, 0],
    [LIMIT + 1, 1],
  ] as const) {
    const spool = await createSpool(source(Buffer.alloc(size)))
    assert.equal(await openFiles(folder), files)
    assert.deepEqual(await readdir(folder), [])
    await spool.dispose()
    assert.equal(await openFiles(folder), 0)
  }
})

test('createSpool() leaves nothing behind when its source fails', onlyLinux, async (t) => {
  const folder = await ownTemporaryFolder(t)
  const failure = new CargoError('invalid_body', 'cut')
  for (const size of [0, 10, LIMIT + 1]) {
    await assert.rejects(createSpool(source(Buffer.alloc(size), failure)), failure)
    assert.equal(await openFiles(folder), 0)
    assert.deepEqual(await readdir(folder), [])
  }
})

test('createSpool() tells when the disk is full', async () => {
  const full = Object.assign(new Error('write'), { code: 'ENOSPC' })
  await assert.rejects(createSpool(source(Buffer.alloc(10), full)), {
    code: 'storage_full',
    status: 507,
    cause: full,
  })
})
