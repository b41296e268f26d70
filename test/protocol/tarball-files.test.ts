import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type FileSearch, findFiles } from '../../src/protocol/tarball-files.ts'
import { crateFile } from '../support/crate-file.ts'
import { pieces } from '../support/inspection.ts'

const MiB = 1024 * 1024

function search(paths: readonly string[], more: Partial<FileSearch> = {}): FileSearch {
  return { name: 'foo', version: '1.0.0', paths, maxFile: 100, maxUnpacked: MiB, maxEntries: 100, ...more }
}

async function textsIn(bytes: Uint8Array, wanted: FileSearch): Promise<Readonly<Record<string, string>>> {
  const found = await findFiles(Readable.from(pieces(Buffer.from(bytes), 1000)), wanted)
  return Object.fromEntries([...found].map(([path, content]) => [path, content.toString()]))
}

test('findFiles() finds files by their paths in the crate, and the beginning of long ones', async () => {
  const file = crateFile()
    .add('foo-1.0.0/README', 'r')
    .add('foo-1.0.0/docs/README', 'd')
    .add('bar-1.0.0/OTHER', 'o')
    .add('foo-1.0.0/LONG', 'x'.repeat(1000))
    .bytes()
  assert.deepEqual(await textsIn(file, search(['README', 'OTHER', 'LONG', 'not-there', '../README'])), {
    README: 'r',
    LONG: 'x'.repeat(100),
  })
})

test('findFiles() finds no directory', async () => {
  const file = crateFile().entry({ name: 'foo-1.0.0/README', typeflag: '5' }).bytes()
  assert.deepEqual(await textsIn(file, search(['README'])), {})
})

test('findFiles() reads no farther than it must, and destroys its source', async () => {
  const rest = crateFile()
    .add('foo-1.0.0/README', 'r')
    .raw(Buffer.from('whatever'.repeat(64)))
  const source = Readable.from(pieces(rest.bytes(), 10))
  const found = await findFiles(source, search(['README']))
  assert.equal(found.get('README')?.toString(), 'r')
  assert.equal(source.destroyed, true)
})

test('findFiles() refuses what cannot be unpacked', async () => {
  const bomb = crateFile()
    .add('foo-1.0.0/zeros', Buffer.alloc(2 * MiB))
    .add('foo-1.0.0/README', 'r')
  const many = crateFile()
  for (let n = 0; n < 200; n++) many.add(`foo-1.0.0/${n}`)
  const cut = crateFile().add('foo-1.0.0/a', 'a'.repeat(10_000)).bytes().subarray(0, -20)
  for (const [bytes, code] of [
    [bomb.bytes(), 'too_large'],
    [many.bytes(), 'too_large'],
    [gzipSync(Buffer.alloc(512, 'x')), 'invalid_tarball'],
    [Buffer.from('no gzip'.repeat(10)), 'invalid_tarball'],
    [cut, 'invalid_tarball'],
  ] as const) {
    const source = Readable.from(pieces(bytes, 1000))
    await assert.rejects(findFiles(source, search(['README'])), { code })
    assert.equal(source.destroyed, true)
  }
})

test('findFiles() fails as its source does', async () => {
  const source = new Readable({ read: () => source.destroy(new Error('gone')) })
  await assert.rejects(findFiles(source, search(['README'])), { message: 'gone' })
})
