import { encodePublishBody } from '../../../src/protocol/publish-body.ts'
import { crateFile } from '../../support/crate-file.ts'
import { paxHeader } from '../../support/tar-entry.ts'
import { testRefusals } from './refusal.ts'

const crate = crateFile()
const X = 'foo-1.0.0/x'
/** Types of entries that are neither files nor directories. */
const FOREIGN = {
  '1': 'hard link',
  '3': 'character device',
  '4': 'block device',
  '6': 'fifo',
  S: 'sparse file',
  Z: 'type "Z"',
} as const

/** A publish whose crate file is these bytes. */
function withBytes(bytes: Uint8Array): Buffer {
  return Buffer.from(encodePublishBody(crate.metadata(), bytes))
}

testRefusals('a bad tarball', [
  {
    what: 'a path outside the crate',
    publish: crateFile().add('bar-1.0.0/lib.rs'),
    detail: 'invalid path found: `bar-1.0.0/lib.rs`',
  },
  {
    what: 'a path that climbs',
    publish: crateFile().add('foo-1.0.0/../../etc/passwd'),
    detail: 'invalid path found: `foo-1.0.0/../../etc/passwd`',
  },
  {
    what: "cargo's own mark",
    publish: crateFile().add('foo-1.0.0/.cargo-ok'),
    detail: 'reserved path found: `foo-1.0.0/.cargo-ok`',
  },
  {
    what: 'a path twice',
    publish: crateFile().add('foo-1.0.0/SRC/lib.rs'),
    detail: 'path occurs twice in tarball: `foo-1.0.0/SRC/lib.rs`',
  },
  {
    what: 'a link',
    publish: crateFile().entry({ name: 'foo-1.0.0/x', typeflag: '2', linkname: '/etc/passwd' }),
    detail: 'unexpected symbolic link in tarball: `foo-1.0.0/x`: only files and directories may be in it',
  },
  ...Object.entries(FOREIGN).map(([typeflag, kind]) => ({
    what: `a ${kind}`,
    publish: crateFile().entry({
      name: X,
      typeflag,
      linkname: typeflag === '1' ? 'foo-1.0.0/src/lib.rs' : '',
    }),
    detail: `unexpected ${kind} in tarball: \`${X}\`: only files and directories may be in it`,
  })),
  {
    what: 'a sparse file by PAX',
    publish: crateFile()
      .raw(paxHeader({ 'GNU.sparse.major': '1' }))
      .entry({ name: X }),
    detail: 'tarball is malformed: bad PAX record: `GNU.sparse.major`',
  },
  {
    what: 'two sizes',
    publish: crateFile()
      .raw(paxHeader({ size: '1024' }))
      .entry({ name: X }, 'abc'),
    detail: `tarball is malformed: PAX size 1024 is not the header's 3: \`${X}\``,
  },
  {
    what: 'a path that is no UTF-8',
    publish: crateFile().entry({ name: Buffer.from(`${X}\xff`, 'latin1') }),
    detail: `tarball is malformed: path is not UTF-8: \`${X}\uFFFD\``,
  },
  {
    what: 'a misspelt manifest',
    publish: crateFile().withoutManifest().add('foo-1.0.0/cargo.toml', '[package]'),
    detail: 'misspelled `foo-1.0.0/cargo.toml` in tarball: must be `Cargo.toml`',
  },
  {
    what: 'a misspelt manifest beside the manifest',
    publish: crateFile().add('foo-1.0.0/CARGO.TOML', '[package]'),
    detail: 'path occurs twice in tarball: `foo-1.0.0/CARGO.TOML`',
  },
  {
    what: 'no gzip',
    publish: withBytes(Buffer.from('no gzip')),
    detail: 'tarball is malformed: not gzip data',
  },
  {
    what: 'a cut gzip',
    publish: withBytes(crate.bytes().subarray(0, -4)),
    detail: 'tarball is malformed: bad gzip data',
  },
  {
    what: 'garbage after the gzip',
    publish: withBytes(Buffer.concat([crate.bytes(), Buffer.from('garbage')])),
    detail: 'tarball is malformed: data after the end of the gzip stream',
  },
  {
    what: 'no manifest',
    publish: crateFile().withoutManifest(),
    detail: 'tarball has no `foo-1.0.0/Cargo.toml`',
  },
  {
    what: 'a manifest that is no TOML',
    publish: crateFile().manifest('= ='),
    detail: 'invalid `Cargo.toml`: Invalid TOML document: unexpected end of key (line 1, column 1)',
  },
])
