import { gzipSync } from 'node:zlib'
import { encodePublishBody } from '../../src/protocol/publish-body.ts'
import { crateFile } from './crate-file.ts'
import { between, pick, type Random, randomBytesFrom } from './random.ts'
import { tarEntry } from './tar-entry.ts'

/** One way to spoil a publish. */
export type Mutation = (typeof MUTATIONS)[number]

export interface MutatedPublish {
  readonly mutation: Mutation
  readonly name: string
  readonly version: string
  readonly body: Buffer
}

/** What a publish is made of, before it is put together. */
interface Parts {
  readonly metadata: string
  readonly manifest: string
  readonly tar: Buffer
}

/** Every way; `none` is the control that must be taken. */
export const MUTATIONS = [
  'none',
  'flipped bytes',
  'length fields',
  'truncation',
  'splice',
  'two bodies in one',
  'duplicated part',
  'JSON tokens',
  'TOML tokens',
  'tar header',
  'tar header, right checksum',
  'tar entry',
  'gzip damage',
] as const

const LENGTHS = [0, 1, 2, 3, 4, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe, 0x100000, 0x100001]
const JSON_TOKENS = [
  ...['null', 'true', '1e999', '-0', '1'.repeat(400), '""', '"x"', '[]', '{}', '{"__proto__":{"x":1}}'],
  ...['"\\u0000"', '"\\ud800"', '"a\\nb"', '"\u2028"', '['.repeat(5000), '{"a":'.repeat(5000), ',', ':', ']'],
  ...['"name"', '"vers"', '"deps"', '"features"', '"__proto__"', '"constructor"', `"${'a'.repeat(9000)}"`],
]
const TOML_TOKENS = [
  ...['true', '1', '1e999', 'nan', '""', '"x"', '[]', '{}', '[package]', '[[package]]', '[__proto__]', '='],
  ...['"""', "'''", '2026-01-01', '"\\u0000"', '\n', '.', 'a.b.c = 1', '__proto__ = 1', '['.repeat(2000)],
  ...['name', 'version', 'dependencies', 'features', 'constructor.prototype.x = 1', `"${'a'.repeat(9000)}"`],
]
const TYPES = [...'0123456789ABDKLMNSVXgx\0\x80']

/** The `n`-th publish of a fuzz run; each has a version of its own, so that none is refused for the one before. */
export function mutatedPublish(random: Random, n: number, registry: string): MutatedPublish {
  const name = `fuzz-${n % 64}`
  const version = `1.0.${n}`
  const mutation = n % 50 === 0 ? 'none' : pick(random, MUTATIONS)
  const body = mutate(random, mutation, partsOf(name, version, registry))
  return { mutation, name, version, body }
}

function partsOf(name: string, version: string, registry: string): Parts {
  const crate = crateFile(name, version)
    .package({ keywords: ['fuzz'], repository: 'https://git.example/fuzz' })
    .dep('base', { version: '1', 'registry-index': registry, own: true, optional: true, features: ['std'] })
    .feature('default', ['base'])
    .add(`${name}-${version}/src/more.rs`, '// more')
  const tar = crate.tar()
  const size = Number.parseInt(tar.toString('latin1', 124, 135), 8)
  return {
    metadata: JSON.stringify(crate.metadata()),
    manifest: tar.toString('utf8', 512, 512 + size),
    tar,
  }
}

function whole({ metadata, tar }: Pick<Parts, 'metadata' | 'tar'>, gz = gzip(tar)): Buffer {
  return Buffer.from(encodePublishBody(JSON.parse(metadata), gz))
}

function mutate(random: Random, mutation: Mutation, parts: Parts): Buffer {
  switch (mutation) {
    case 'none':
      return whole(parts)
    case 'flipped bytes':
      return flipped(random, whole(parts))
    case 'length fields':
      return withLengths(random, whole(parts))
    case 'truncation': {
      const body = whole(parts)
      return body.subarray(0, between(random, 0, body.length))
    }
    case 'splice':
      return spliced(random, whole(parts))
    case 'two bodies in one': {
      const body = whole(parts)
      return Buffer.concat([body.subarray(0, between(random, 0, body.length)), body])
    }
    case 'duplicated part':
      return duplicated(random, parts)
    case 'JSON tokens':
      return framed(Buffer.from(withToken(random, parts.metadata, JSON_TOKENS)), gzip(parts.tar))
    case 'TOML tokens':
      return whole({ ...parts, tar: withManifest(parts, withToken(random, parts.manifest, TOML_TOKENS)) })
    case 'tar header':
    case 'tar header, right checksum':
      return whole({ ...parts, tar: withHeader(random, parts.tar, mutation !== 'tar header') })
    case 'tar entry':
      return whole({ ...parts, tar: withEntry(random, parts.tar) })
    case 'gzip damage':
      return whole(parts, damaged(random, gzip(parts.tar)))
  }
}

function framed(metadata: Buffer, crate: Buffer): Buffer {
  const lengths = [metadata.length, crate.length].map((length) => {
    const field = Buffer.alloc(4)
    field.writeUInt32LE(length)
    return field
  })
  return Buffer.concat([lengths[0] ?? '', metadata, lengths[1] ?? '', crate] as Buffer[])
}

function flipped(random: Random, bytes: Buffer, from = 0, to = bytes.length): Buffer {
  const copy = Buffer.from(bytes)
  for (let left = between(random, 1, 9); left > 0; left--) {
    const at = between(random, from, to)
    copy[at] = (copy[at] ?? 0) ^ (1 << between(random, 0, 8))
  }
  return copy
}

function withLengths(random: Random, body: Buffer): Buffer {
  const copy = Buffer.from(body)
  const at = random() < 0.5 ? 0 : 4 + body.readUInt32LE(0)
  const before = copy.readUInt32LE(at)
  const near = (before + between(random, -4, 5)) >>> 0
  const swapped = copy.readUInt32BE(at)
  copy.writeUInt32LE(pick(random, [...LENGTHS, near, near, swapped, between(random, 0, 2 ** 32)]), at)
  return copy
}

function spliced(random: Random, body: Buffer): Buffer {
  const at = between(random, 0, body.length)
  const end = Math.min(body.length, at + between(random, 1, 200))
  switch (between(random, 0, 3)) {
    case 0:
      return Buffer.concat([body.subarray(0, at), randomBytesFrom(random, end - at), body.subarray(at)])
    case 1:
      return Buffer.concat([body.subarray(0, end), body.subarray(at)])
    default:
      return Buffer.concat([body.subarray(0, at), body.subarray(end)])
  }
}

function duplicated(random: Random, { metadata, tar }: Parts): Buffer {
  const json = Buffer.from(metadata)
  const gz = gzip(tar)
  return pick(random, [
    () => framed(Buffer.concat([json, json]), gz),
    () => framed(json, Buffer.concat([gz, gz])),
    () => framed(json, gzip(Buffer.concat([tar, tar]))),
    () => framed(json, gzip(Buffer.concat([tar.subarray(0, -1024), tar]))),
    () => framed(Buffer.from(`${metadata.slice(0, -1)},${metadata.slice(1)}`), gz),
    () => Buffer.concat([framed(json, gz), framed(json, gz)]),
  ])()
}

/** The text with one of its words replaced, doubled, removed or exchanged for another of its own. */
function withToken(random: Random, text: string, tokens: readonly string[]): string {
  const own = [...text.matchAll(/"(?:[^"\\]|\\.)*"|[A-Za-z0-9_.-]+|[^\s\w]/g)]
  const { 0: token, index } = pick(random, own)
  const other = pick(random, own)[0]
  const news = pick(random, [pick(random, tokens), pick(random, tokens), other, token + token, ''])
  return text.slice(0, index) + news + text.slice(index + token.length)
}

/** The archive with another `Cargo.toml`, which is its first entry. */
function withManifest({ tar, manifest }: Parts, text: string): Buffer {
  const name = tar.toString('latin1', 0, tar.indexOf(0))
  const rest = 512 + Math.ceil(Buffer.byteLength(manifest) / 512) * 512
  return Buffer.concat([tarEntry({ name }, text), tar.subarray(rest)])
}

function withHeader(random: Random, tar: Buffer, isRight: boolean): Buffer {
  const headers = []
  for (let at = 0; tar[at] !== 0; ) {
    headers.push(at)
    at += 512 + Math.ceil(Number.parseInt(tar.toString('latin1', at + 124, at + 135), 8) / 512) * 512
  }
  const at = pick(random, headers)
  const changed = flipped(random, tar, at, at + 512)
  if (random() < 0.3) changed.write(pick(random, TYPES), at + 156, 'latin1')
  if (!isRight) return changed
  changed.fill(' ', at + 148, at + 156)
  const sum = changed.subarray(at, at + 512).reduce((total, byte) => total + byte, 0)
  changed.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148)
  return changed
}

function withEntry(random: Random, tar: Buffer): Buffer {
  const root = tar.toString('latin1', 0, tar.indexOf('/'))
  const name = pick(random, [
    `${root}/x`,
    `${root}/../x`,
    '/x',
    `${root}/Cargo.toml`,
    root,
    `${root}/a\0b`,
    '',
  ])
  const entry = tarEntry({
    name,
    typeflag: pick(random, TYPES),
    linkname: pick(random, ['', '/etc/passwd', '..']),
  })
  return Buffer.concat([tar.subarray(0, -1024), entry, tar.subarray(-1024)])
}

function damaged(random: Random, gz: Buffer): Buffer {
  switch (between(random, 0, 5)) {
    case 0:
      return flipped(random, gz)
    case 1:
      return flipped(random, gz, 0, 10)
    case 2:
      return flipped(random, gz, gz.length - 8)
    case 3:
      return gz.subarray(0, between(random, 0, gz.length))
    default:
      return Buffer.concat([gz, randomBytesFrom(random, between(random, 1, 100))])
  }
}

/** The fastest level: what is damaged need not be small. */
function gzip(tar: Buffer): Buffer {
  return gzipSync(tar, { level: 1 })
}
