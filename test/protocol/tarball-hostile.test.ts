import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { inspectTarball } from '../../src/protocol/tarball.ts'
import { FOO, good, goodWith, inspect, LONG, X } from '../support/inspection.ts'
import { gnuLongName, POSIX_MAGIC, paxHeader, tarEnd, tarEntry } from '../support/tar-entry.ts'
import { workTime } from '../support/work-time.ts'

const MiB = 1024 * 1024
const path = (found: string): string => `invalid path found: \`${found}\``
const kind = (what: string): string =>
  `unexpected ${what} in tarball: \`foo-1.0.0/x\`: only files and directories may be in it`
const malformed = (what: string): string => `tarball is malformed: ${what}`

const HOSTILE: readonly (readonly [string, () => Buffer, string])[] = [
  ['a hard link', () => goodWith(X, { typeflag: '1', linkname: '/etc/passwd' }), kind('hard link')],
  ['a symbolic link', () => goodWith(X, { typeflag: '2', linkname: '/etc/passwd' }), kind('symbolic link')],
  ['a character device', () => goodWith(X, { typeflag: '3' }), kind('character device')],
  ['a block device', () => goodWith(X, { typeflag: '4' }), kind('block device')],
  ['a fifo', () => goodWith(X, { typeflag: '6' }), kind('fifo')],
  ['a contiguous file', () => goodWith(X, { typeflag: '7' }), kind('contiguous file')],
  ['a sparse file', () => goodWith(X, { typeflag: 'S' }), kind('sparse file')],
  ['a long link name', () => goodWith(X, { typeflag: 'K' }), kind('long link name')],
  ['global attributes', () => goodWith(X, { typeflag: 'g' }), kind('global attributes')],
  ['an unknown type', () => goodWith(X, { typeflag: 'Z' }), kind('type "Z"')],
  [
    'a directory with content',
    () => goodWith(X, { typeflag: '5', size: 512 }),
    malformed(`directory with content: \`${X}\``),
  ],
  ['`..` inside', () => goodWith('foo-1.0.0/../x'), path('foo-1.0.0/../x')],
  ['`..` at the end', () => goodWith('foo-1.0.0/a/..', { typeflag: '5' }), path('foo-1.0.0/a/..')],
  ['`..` at the start', () => goodWith('../foo-1.0.0/x'), path('../foo-1.0.0/x')],
  ['a `.` segment', () => goodWith('foo-1.0.0/./x'), path('foo-1.0.0/./x')],
  ['a leading `./`', () => goodWith('./foo-1.0.0/x'), path('./foo-1.0.0/x')],
  ['an empty segment', () => goodWith('foo-1.0.0//x'), path('foo-1.0.0//x')],
  ['an absolute path', () => goodWith('/foo-1.0.0/x'), path('/foo-1.0.0/x')],
  ['another crate', () => goodWith('bar-1.0.0/x'), path('bar-1.0.0/x')],
  ['another version', () => goodWith('foo-1.0.1/x'), path('foo-1.0.1/x')],
  ['a longer version', () => goodWith('foo-1.0.00/x'), path('foo-1.0.00/x')],
  ['other case', () => goodWith('Foo-1.0.0/x'), path('Foo-1.0.0/x')],
  ['an empty name', () => goodWith(''), path('')],
  ['a file for the crate itself', () => goodWith('foo-1.0.0'), path('foo-1.0.0')],
  ['a file with a final slash', () => goodWith(`${X}/`), path(`${X}/`)],
  ['a backslash', () => goodWith('foo-1.0.0/..\\x'), path('foo-1.0.0/..\\x')],
  ['a drive', () => goodWith('C:/x'), path('C:/x')],
  [
    'a path outside with content',
    () => good().add('bar-1.0.0/x', 'abc'.repeat(99_999)).bytes(),
    path('bar-1.0.0/x'),
  ],
  ['a drive further down', () => goodWith('foo-1.0.0/C:/x'), path('foo-1.0.0/C:/x')],
  ['an alternate stream', () => goodWith('foo-1.0.0/src/lib.rs:x'), path('foo-1.0.0/src/lib.rs:x')],
  ['`..` for Windows', () => goodWith('foo-1.0.0/.. /x'), path('foo-1.0.0/.. /x')],
  ['a line break in a path', () => goodWith('foo-1.0.0/a\nb'), path('foo-1.0.0/a\ufffdb')],
  ['an escape sequence in a path', () => goodWith('foo-1.0.0/\x1b[2J'), path('foo-1.0.0/\ufffd[2J')],
  ['a NUL in the name', () => goodWith(`${X}\0y`), malformed(`path with a NUL: \`${X}\\0y\``)],
  [
    'a name that is not UTF-8',
    () => goodWith(Buffer.from(`${X}\xff`, 'latin1')),
    malformed(`path is not UTF-8: \`${X}\ufffd\``),
  ],
  [
    '`..` in a long name',
    () => good().raw(gnuLongName('foo-1.0.0/../x')).entry({ name: X }).bytes(),
    path('foo-1.0.0/../x'),
  ],
  [
    'a NUL in a long name',
    () =>
      good()
        .raw(gnuLongName(`${X}\0y`))
        .entry({ name: X })
        .bytes(),
    malformed(`path with a NUL: \`${X}\\0y\``),
  ],
  [
    'a long name too long',
    () =>
      good()
        .raw(gnuLongName('a'.repeat(1025)))
        .entry({ name: X })
        .bytes(),
    malformed('long-name of 1026 bytes is too long'),
  ],
  [
    'two long names',
    () => good().raw(gnuLongName(LONG)).raw(gnuLongName(X)).entry({ name: X }).bytes(),
    malformed('more than one extension of an entry'),
  ],
  [
    'a long name without entry',
    () => good().raw(gnuLongName(LONG)).bytes(),
    malformed('extension without an entry'),
  ],
  [
    'a PAX path outside',
    () =>
      good()
        .raw(paxHeader({ path: '/etc/x' }))
        .entry({ name: X })
        .bytes(),
    path('/etc/x'),
  ],
  [
    'PAX and long name',
    () =>
      good()
        .raw(paxHeader({ path: X }))
        .raw(gnuLongName(LONG))
        .entry({ name: X })
        .bytes(),
    malformed('more than one extension of an entry'),
  ],
  [
    'another PAX size',
    () =>
      good()
        .raw(paxHeader({ size: '1024' }))
        .entry({ name: X }, 'abc')
        .bytes(),
    malformed(`PAX size 1024 is not the header's 3: \`${X}\``),
  ],
  [
    'a bad PAX size',
    () =>
      good()
        .raw(paxHeader({ size: '3x' }))
        .entry({ name: X }, 'abc')
        .bytes(),
    malformed('bad PAX size `3x`'),
  ],
  [
    'a sparse PAX file',
    () =>
      good()
        .raw(paxHeader({ 'GNU.sparse.major': '1' }))
        .entry({ name: X })
        .bytes(),
    malformed('bad PAX record: `GNU.sparse.major`'),
  ],
  [
    'an empty PAX path',
    () =>
      good()
        .raw(paxHeader({ path: '' }))
        .entry({ name: X })
        .bytes(),
    malformed('empty PAX path'),
  ],
  [
    'a bad PAX record',
    () =>
      good()
        .raw(tarEntry({ name: 'p', typeflag: 'x' }, '99 path=x\n'))
        .entry({ name: X })
        .bytes(),
    malformed('bad PAX record'),
  ],
  [
    'a prefix outside',
    () => goodWith('x', { magic: POSIX_MAGIC, prefix: '../foo-1.0.0' }),
    path('../foo-1.0.0/x'),
  ],
  [
    'no known magic',
    () => goodWith(X, { magic: '\0\0\0\0\0\0\0\0' }),
    malformed('neither a POSIX nor a GNU tar header'),
  ],
  ['a wrong checksum', () => goodWith(X, { checksum: 1 }), malformed('wrong header checksum')],
  [
    'a size in base 256',
    () => goodWith(X, { size: Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]) }),
    malformed('bad size in a header'),
  ],
  ['a negative size', () => goodWith(X, { size: '-0000000001\0' }), malformed('bad size in a header')],
  ['no size', () => goodWith(X, { size: '\0'.repeat(12) }), malformed('bad size in a header')],
  ['a size beyond the end', () => goodWith(X, { size: 4096 }), malformed('archive ends early')],
  [
    'a second manifest',
    () => good().add('foo-1.0.0/Cargo.toml', '').bytes(),
    'path occurs twice in tarball: `foo-1.0.0/Cargo.toml`',
  ],
  [
    'a second manifest in other case',
    () => good().add('foo-1.0.0/cargo.TOML', '').bytes(),
    'path occurs twice in tarball: `foo-1.0.0/cargo.TOML`',
  ],
  [
    'a misspelled manifest',
    () => good().withoutManifest().add('foo-1.0.0/cargo.toml', '').bytes(),
    'misspelled `foo-1.0.0/cargo.toml` in tarball: must be `Cargo.toml`',
  ],
  ['no manifest', () => good().withoutManifest().bytes(), 'tarball has no `foo-1.0.0/Cargo.toml`'],
  ['`.cargo-ok`', () => goodWith('foo-1.0.0/.cargo-ok'), 'reserved path found: `foo-1.0.0/.cargo-ok`'],
  ['`.Cargo-OK`', () => goodWith('foo-1.0.0/.Cargo-OK'), 'reserved path found: `foo-1.0.0/.Cargo-OK`'],
  [
    'a path twice',
    () => goodWith('foo-1.0.0/src/lib.rs'),
    'path occurs twice in tarball: `foo-1.0.0/src/lib.rs`',
  ],
  [
    'a path twice, by case',
    () => goodWith('foo-1.0.0/SRC/Lib.rs'),
    'path occurs twice in tarball: `foo-1.0.0/SRC/Lib.rs`',
  ],
  [
    'a path twice, by composition',
    () => good().add('foo-1.0.0/\u00e9').add('foo-1.0.0/e\u0301').bytes(),
    'path occurs twice in tarball: `foo-1.0.0/e\u0301`',
  ],
  [
    'a path twice, by a final dot',
    () => good().add(X).add(`${X}.`).bytes(),
    `path occurs twice in tarball: \`${X}.\``,
  ],
  [
    'a second manifest with content',
    () => good().add('foo-1.0.0/CARGO.toml', '[package]').bytes(),
    'path occurs twice in tarball: `foo-1.0.0/CARGO.toml`',
  ],
  [
    'a directory for the manifest',
    () => good().withoutManifest().entry({ name: 'foo-1.0.0/Cargo.toml/', typeflag: '5' }).bytes(),
    'tarball has no `foo-1.0.0/Cargo.toml`',
  ],
  ['no end', () => gzipSync(good().tar().subarray(0, -1024)), malformed('archive ends early')],
  ['half an end', () => gzipSync(good().tar().subarray(0, -512)), malformed('archive ends early')],
  [
    'an archive after the end',
    () => gzipSync(Buffer.concat([good().tar(), good().tar()])),
    malformed('data after the end of the archive'),
  ],
  [
    'an entry between zero blocks',
    () => good().raw(Buffer.alloc(512)).add(X).bytes(),
    malformed('data after the end of the archive'),
  ],
  [
    'endless padding',
    () => gzipSync(Buffer.concat([good().tar(), Buffer.alloc(MiB)])),
    malformed('over 65536 bytes of padding'),
  ],
  ['no gzip', () => good().tar(), malformed('not gzip data')],
  ['nothing', () => Buffer.alloc(0), malformed('gzip data ends early')],
  ['a cut trailer', () => good().bytes().subarray(0, -1), malformed('bad gzip data')],
  ['a cut middle', () => good().bytes().subarray(0, 100), malformed('bad gzip data')],
  ['a cut gzip header', () => good().bytes().subarray(0, 9), malformed('gzip data ends early')],
  ['a long gzip header', () => longGzipHeader(), malformed('gzip header is over 1024 bytes')],
  [
    'two members',
    () => Buffer.concat([good().bytes(), good().bytes()]),
    malformed('data after the end of the gzip stream'),
  ],
  [
    'an empty member first',
    () => Buffer.concat([gzipSync(''), good().bytes()]),
    malformed('data after the end of the gzip stream'),
  ],
  [
    'a byte after gzip',
    () => Buffer.concat([good().bytes(), Buffer.of(1)]),
    malformed('data after the end of the gzip stream'),
  ],
  [
    'zeros after gzip',
    () => Buffer.concat([good().bytes(), Buffer.alloc(99_999)]),
    malformed('data after the end of the gzip stream'),
  ],
  ['a wrong gzip checksum', () => changed(good().bytes(), -8), malformed('wrong gzip checksum')],
  ['a wrong gzip size', () => changed(good().bytes(), -4), malformed('wrong gzip checksum')],
  ['an empty archive', () => gzipSync(tarEnd()), 'tarball has no `foo-1.0.0/Cargo.toml`'],
]

for (const [what, build, detail] of HOSTILE) {
  test(`inspectTarball() refuses ${what}`, async () => {
    const refusal = { code: 'invalid_tarball', message: detail }
    await assert.rejects(inspect(build()), refusal)
    await assert.rejects(inspectTarball(build(), FOO), refusal, 'at once')
  })
}

test('inspectTarball() refuses a manifest that is too large', async () => {
  const bytes = good()
    .manifest('#'.repeat(2 * MiB))
    .bytes()
  await assert.rejects(inspect(bytes), { code: 'too_large', message: '`Cargo.toml` is over 262144 bytes' })
})

test('inspectTarball() does not work long on paths of dots', async () => {
  const crate = good()
  for (let i = 0; i < 500; i += 1) crate.add(`foo-1.0.0/${'. '.repeat(490)}x${i}`)
  const worked = workTime()
  assert.equal((await inspect(crate.bytes())).entries, 502)
  assert.ok(worked() < 500, 'linear in the length of a path')
})

function changed(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy.writeUInt8(copy.at(at) === 1 ? 2 : 1, copy.length + at)
  return copy
}

function longGzipHeader(): Buffer {
  const header = Buffer.from([0x1f, 0x8b, 8, 0x08, 0, 0, 0, 0, 0, 3])
  return Buffer.concat([header, Buffer.alloc(2000, 'n'), good().bytes()])
}
