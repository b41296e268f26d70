import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { extract } from 'tar-stream'
import { CargoError } from '../../src/errors.ts'
import { tarReader } from '../../src/protocol/tar-reader.ts'
import { LONG } from '../support/inspection.ts'
import { between, pick, type Random, randomBytesFrom, randomFrom } from '../support/random.ts'
import { POSIX_MAGIC, paxHeader, tarEnd, tarEntry, tarFile } from '../support/tar-entry.ts'

const LIMITS = { maxUnpacked: 1024 * 1024, maxEntries: 100 }
const HEADER = 512
const CHECKSUM = { at: 148, length: 8 }
/** Name, size, type, magic and prefix. */
const FIELDS = [
  { at: 0, length: 100 },
  { at: 124, length: 12 },
  { at: 156, length: 1 },
  { at: 257, length: 8 },
  { at: 345, length: 155 },
]
/** Those that mean something in a header. */
const BYTES = Buffer.from('\0\0 /01257KLSgx-\x80\xff', 'latin1')

interface Found {
  readonly path: string
  readonly isDirectory: boolean
  readonly content: string
}

/** What our reader finds in an archive that comes in pieces of some size. */
function found(tar: Buffer, each: number): readonly Found[] {
  const all: Found[] = []
  const reader = tarReader(LIMITS, ({ path, isDirectory, size }) => ({
    maxBytes: size,
    take: (content) => all.push({ path, isDirectory, content: content.toString('latin1') }),
  }))
  for (let at = 0; at < tar.length; at += each) {
    // As the memory of a piece is given back, what is kept of it becomes something else.
    const piece = Buffer.from(tar.subarray(at, at + each))
    reader.read(piece)
    piece.fill('!')
  }
  reader.end()
  return all
}

/** What a well-known reader finds in it. */
async function foundByTarStream(tar: Buffer): Promise<readonly Found[]> {
  const all: Found[] = []
  const files = extract()
  files.on('entry', ({ name, type }, body, next) => {
    const parts: Buffer[] = []
    body.on('data', (part) => parts.push(part as Buffer))
    body.on('end', () => {
      const content = Buffer.concat(parts).toString('latin1')
      all.push({ path: name, isDirectory: type === 'directory', content })
      next()
    })
  })
  files.end(tar)
  await once(files, 'finish')
  return all
}

test('tarReader() reads what tar-stream reads, in pieces of any size', async () => {
  const random = randomFrom(1)
  for (let n = 0; n < 60; n++) {
    const tar = Buffer.concat([...entries(random), tarEnd()])
    const expected = await foundByTarStream(tar)
    assert.deepEqual(found(tar, between(random, 1, 3_000)), expected)
    assert.deepEqual(found(tar, tar.length), expected)
  }
})

test('tarReader() reads a spoiled archive as tar-stream does, or refuses it', async () => {
  const random = randomFrom(2)
  let accepted = 0
  for (let n = 0; n < 4_000; n++) {
    const tar = spoiled(random, Buffer.concat([...entries(random).slice(0, 3), tarEnd()]))
    let ours: readonly Found[]
    try {
      ours = found(tar, 700)
    } catch (error) {
      assert.ok(
        error instanceof CargoError && ['invalid_tarball', 'too_large'].includes(error.code),
        `${error}`,
      )
      continue
    }
    accepted += 1
    assert.deepEqual(ours, await foundByTarStream(tar), `archive ${n}`)
  }
  assert.ok(accepted > 400, `${accepted} were accepted`)
})

test('tarReader() keeps no more of a content than is wanted', () => {
  const beginnings: string[] = []
  const reader = tarReader(LIMITS, ({ path }) =>
    path === 'b' ? undefined : { maxBytes: 3, take: (content) => beginnings.push(content.toString()) },
  )
  const files = [tarFile('a', 'abcdef'), tarFile('b', 'x'.repeat(2_000)), tarFile('c', 'c'), tarFile('d')]
  for (const byte of Buffer.concat([...files, tarEnd()])) reader.read(Buffer.of(byte))
  reader.end()
  assert.deepEqual(beginnings, ['abc', 'c', ''])
})

/** Some entries of all kinds that are read. */
function entries(random: Random): readonly Buffer[] {
  return Array.from({ length: between(random, 1, 12) }, (_, n) => {
    const content = randomBytesFrom(random, between(random, 0, 3) === 0 ? 0 : between(random, 1, 2_000))
    const make = pick(random, [
      () => tarFile(`f${n}`, content),
      () => tarFile(`${LONG}${n}`, content),
      () => tarEntry({ name: `d${n}/`, typeflag: '5' }),
      () => tarEntry({ name: `p${n}`, magic: POSIX_MAGIC, prefix: 'deep/er' }, content),
      () => Buffer.concat([paxHeader({ path: `pax/é${n}`, mtime: '1.5' }), tarEntry({ name: 'x' }, content)]),
    ])
    return make()
  })
}

/** Changes some bytes of headers, and makes their checksums right again. */
function spoiled(random: Random, tar: Buffer): Buffer {
  const blocks = tar.length / HEADER - 2
  for (let n = between(random, 1, 4); n > 0; n--) {
    const start = HEADER * between(random, 0, blocks)
    const block = tar.subarray(start, start + HEADER)
    const { at, length } = pick(random, FIELDS)
    block[at + between(random, 0, length)] = pick(random, [...BYTES])
    block.fill(' ', CHECKSUM.at, CHECKSUM.at + CHECKSUM.length)
    const sum = block.reduce((total, byte) => total + byte, 0)
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, CHECKSUM.at, 'latin1')
  }
  return tar
}
