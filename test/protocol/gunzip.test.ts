import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { gunzip } from '../../src/protocol/gunzip.ts'
import { inspectTarball } from '../../src/protocol/tarball.ts'
import { findFiles } from '../../src/protocol/tarball-files.ts'
import { FOO, good, pieces } from '../support/inspection.ts'

const KiB = 1024
/** Of what has no pattern and what has one, over many pieces. */
const CONTENT = Buffer.concat([randomBytes(300 * KiB), Buffer.alloc(700 * KiB, 'abc'), randomBytes(99)])

async function piecesOf(
  file: Buffer,
  each: number,
): Promise<{ kept: Buffer[]; copy: Buffer; ended: boolean }> {
  const kept: Buffer[] = []
  const copies: Buffer[] = []
  let ended = false
  await gunzip(Readable.from(pieces(file, each)), {
    read(piece) {
      kept.push(piece)
      copies.push(Buffer.from(piece))
    },
    end() {
      ended = true
    },
  })
  return { kept, copy: Buffer.concat(copies), ended }
}

for (const each of [1_000, 64 * KiB, 4_096 * KiB]) {
  test(`gunzip() hands out the content of a file that comes by ${each} bytes, and takes its memory back`, async () => {
    const { kept, copy, ended } = await piecesOf(gzipSync(CONTENT), each)
    assert.deepEqual(copy, CONTENT)
    assert.equal(ended, true)
    // Of those who kept pieces nobody sees what the memory has become.
    assert.deepEqual([...new Set(kept.map(({ length }) => length))], [0])
  })
}

test('gunzip() hands out nothing of an empty content, and little of a small one', async () => {
  assert.deepEqual(await piecesOf(gzipSync(''), 5), { kept: [], copy: Buffer.alloc(0), ended: true })
  assert.equal((await piecesOf(gzipSync('abc'), 5)).copy.toString(), 'abc')
})

test('gunzip() hands out all of a small file at once, and a large one in pieces', async () => {
  for (const [content, isWhole] of [
    [CONTENT.subarray(0, 100 * KiB), true],
    [Buffer.concat([CONTENT, CONTENT]), false],
  ] as const) {
    const copies: Buffer[] = []
    const read = (piece: Buffer) => void copies.push(Buffer.from(piece))
    let ended = 0
    const end = () => {
      ended += 1
    }
    await gunzip(gzipSync(content), { read, end })
    assert.deepEqual(Buffer.concat(copies), content)
    assert.deepEqual([copies.length === 1, ended], [isWhole, 1])
  }
})

test('gunzip() fails as its reader does, and destroys the source', async () => {
  const source = Readable.from(pieces(gzipSync(CONTENT), KiB))
  const read = () => {
    throw new Error('enough')
  }
  await assert.rejects(gunzip(source, { read, end: () => undefined }), { message: 'enough' })
  assert.equal(source.destroyed, true)
})

test('what was found in a tarball is not memory that was given back, wherever pieces end in it', async () => {
  const manifest = `[package]\nname = "foo"\nversion = "1.0.0"\n#${'m'.repeat(70 * KiB)}\n`
  const readme = `r${'readme'.repeat(30 * KiB)}`
  const crates = Array.from({ length: 40 }, (_, n) =>
    good()
      .withoutManifest()
      .add(`foo-1.0.0/before`, randomBytes(57 * KiB + 512 * n))
      .add('foo-1.0.0/Cargo.toml', manifest)
      .add('foo-1.0.0/README', readme)
      .bytes(),
  )
  const search = { ...FOO, paths: ['Cargo.toml', 'README'], maxFile: 100 * KiB, maxEntries: 10 }
  const found = await Promise.all(
    crates.map(async (bytes) => {
      const tarball = await inspectTarball(Readable.from(pieces(bytes)), FOO)
      return { tarball, files: await findFiles(Readable.from(pieces(bytes)), search) }
    }),
  )
  // What was given back is used by others meanwhile.
  const others = Array.from({ length: 100 }, () => Buffer.alloc(64 * KiB, '!'))
  assert.equal(others.length, 100)
  for (const { tarball, files } of found) {
    assert.equal(Buffer.from(tarball.manifest).toString(), manifest)
    assert.equal(files.get('Cargo.toml')?.toString(), manifest)
    assert.equal(files.get('README')?.toString(), readme.slice(0, 100 * KiB))
  }
})
