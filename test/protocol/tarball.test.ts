import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { createGzip, gzipSync } from 'node:zlib'
import { inspectTarball } from '../../src/protocol/tarball.ts'
import { FOO, good, goodWith, inspect, LONG, pieces, X } from '../support/inspection.ts'
import { POSIX_MAGIC, paxHeader, tarEnd, tarEntry, tarFile } from '../support/tar-entry.ts'
import { leastOf, workTime } from '../support/work-time.ts'

const MiB = 1024 * 1024

const SOUND: readonly (readonly [string, () => Buffer, number])[] = [
  ['a plain crate', () => good().bytes(), 2],
  [
    'long names',
    () =>
      good()
        .add(LONG)
        .add(`foo-1.0.0/${'é'.repeat(200)}`)
        .bytes(),
    4,
  ],
  [
    'directories',
    () =>
      good()
        .entry({ name: 'foo-1.0.0/', typeflag: '5' })
        .entry({ name: 'foo-1.0.0/src', typeflag: '5' })
        .bytes(),
    4,
  ],
  ['the old type of a file', () => goodWith(X, { typeflag: '\0' }), 3],
  ['a POSIX prefix', () => goodWith('x', { magic: POSIX_MAGIC, prefix: 'foo-1.0.0/deep' }), 3],
  [
    'PAX attributes that agree',
    () =>
      good()
        .raw(paxHeader({ path: X, size: '3', mtime: '1.5' }))
        .entry({ name: 'y' }, 'abc')
        .bytes(),
    3,
  ],
  ['a manifest further down', () => good().add('foo-1.0.0/sub/Cargo.toml').bytes(), 3],
  ['records of 10 KiB', () => gzipSync(Buffer.concat([good().tar(), Buffer.alloc(9 * 1024)])), 2],
]

for (const [what, build, entries] of SOUND) {
  test(`inspectTarball() accepts ${what}`, async () => {
    const { manifest, ...rest } = await inspect(build())
    assert.match(Buffer.from(manifest).toString(), /^\[package\]\nname = "foo"\nversion = "1\.0\.0"\n/)
    assert.equal(rest.entries, entries)
  })
}

test('inspectTarball() reads the same when bytes come one by one', async () => {
  const bytes = good().add(LONG, 'abc').bytes()
  const slow = await inspectTarball(Readable.from(pieces(bytes, 1)), FOO)
  assert.deepEqual(slow, await inspect(bytes))
})

test('inspectTarball() passes on the error of its source', async () => {
  const gone = new Error('client went away')
  const source = Readable.from(
    (async function* () {
      yield good().bytes().subarray(0, 50)
      throw gone
    })(),
  )
  await assert.rejects(inspectTarball(source, FOO), gone)
})

test('inspectTarball() accepts a crate of exactly the limits', async () => {
  const crate = good().add(X, randomBytes(5000))
  const maxUnpacked = crate.tar().length
  const { entries } = await inspect(crate.bytes(), { maxUnpacked, maxEntries: 3 })
  assert.equal(entries, 3)
  await assert.rejects(inspect(crate.bytes(), { maxUnpacked: maxUnpacked - 1 }), { code: 'too_large' })
  await assert.rejects(inspect(crate.bytes(), { maxEntries: 2 }), { code: 'too_large' })
})

test('inspectTarball() refuses content over the limit by its header alone and destroys the source', async () => {
  const header = tarEntry({ name: X, size: 10 * MiB })
  const source = Readable.from(
    (async function* () {
      yield gzipSync(header).subarray(0, -8)
      yield* Array.from({ length: 100 }, () => randomBytes(64 * 1024))
    })(),
  )
  await assert.rejects(inspectTarball(source, { ...FOO, maxUnpacked: MiB }), {
    code: 'too_large',
    message: 'tarball unpacks to over 1048576 bytes',
  })
  assert.equal(source.destroyed, true)
})

const BOMBS: readonly (readonly [string, () => Readable, string])[] = [
  [
    'one file of 600 MiB',
    () => bomb([tarEntry({ name: X, size: 600 * MiB })], 600),
    'tarball unpacks to over 536870912 bytes',
  ],
  ['files that fill 600 MiB', () => bomb(filesOfMiB(), 0), 'tarball unpacks to over 536870912 bytes'],
  ['40,000 empty entries', () => bomb(emptyEntries(), 0), 'tarball has over 32768 entries'],
]

for (const [what, build, detail] of BOMBS) {
  test(`inspectTarball() defuses ${what} within time and memory`, async () => {
    const file = await collect(build())
    const { worked, stalled, grown } = await leastOf(3, async () => {
      globalThis.gc?.()
      const before = process.memoryUsage.rss()
      const delay = monitorEventLoopDelay({ resolution: 5 })
      const work = workTime()
      delay.enable()
      await assert.rejects(inspect(file), { code: 'too_large', message: detail })
      delay.disable()
      return {
        worked: work(),
        stalled: delay.max / 1e6,
        grown: (process.memoryUsage.rss() - before) / MiB,
      }
    })
    // Half a second where nothing else runs; beside other tests it is several times that.
    assert.ok(worked < 4_000, `worked for ${worked} ms`)
    assert.ok(stalled < 100, `stalled for ${stalled} ms`)
    assert.ok(grown < 32, `grew by ${grown} MiB`)
  })
}

test('inspectTarball() does not stall the event loop with a 10 MB crate', async () => {
  const crate = good()
  for (let i = 0; i < 200; i += 1) {
    crate.add(`foo-1.0.0/data/${i}`, Buffer.concat([randomBytes(50_000), Buffer.alloc(180_000, 'abc')]))
  }
  const bytes = crate.bytes()
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  const { entries } = await inspect(bytes)
  delay.disable()
  assert.equal(entries, 202)
  assert.ok(delay.max / 1e6 < 50, `stalled for ${delay.max / 1e6} ms`)
})

function bomb(entries: Iterable<Buffer>, zeroMiB: number): Readable {
  const content = function* (): Generator<Buffer> {
    yield* entries
    for (let i = 0; i < zeroMiB; i += 1) yield Buffer.alloc(MiB)
    yield tarEnd()
  }
  return Readable.from(content()).pipe(createGzip({ level: 1 }))
}

function* filesOfMiB(): Generator<Buffer> {
  for (let i = 0; i < 600; i += 1) yield tarFile(`foo-1.0.0/${i}`, Buffer.alloc(MiB))
}

function* emptyEntries(): Generator<Buffer> {
  for (let i = 0; i < 40_000; i += 100) {
    yield Buffer.concat(Array.from({ length: 100 }, (_, n) => tarFile(`foo-1.0.0/${i + n}`)))
  }
}

async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}
