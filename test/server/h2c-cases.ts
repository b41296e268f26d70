import { OFFER } from '../support/h2c-client.ts'
import { between, pick, type Random, randomBytesFrom, randomFrom } from '../support/random.ts'
import { frame, GUEST_TOKEN, oddFrames, PREFACE, settings } from './h2c-frames.ts'

/** What a client does with one connection. */
export interface FuzzCase {
  readonly seed: number
  /** The bytes of the offer, before the answer to it is read. */
  readonly offer: Buffer
  /** What follows, in the pieces that it is sent in. */
  readonly after: readonly Buffer[]
  /** Whether it waits for the answer before it goes on. */
  readonly waits: boolean
  /** How it takes its leave: or leaves that to the server. */
  readonly ends: 'closes' | 'half-closes' | 'stays'
}

/** Paths of a crate that nobody may read, and others, in ways that must not be read as something else. */
export const PATHS: readonly string[] = [
  '/cargo/config.json',
  '/cargo/ac/me/acme-secret',
  '//cargo/ac/me/acme-secret',
  '/cargo//ac/me/acme-secret',
  '/cargo/x/../ac/me/acme-secret',
  '/cargo/%61c/me/acme-secret',
  'http://127.0.0.1/cargo/ac/me/acme-secret',
  'cargo/ac/me/acme-secret',
  '/cargo/config.json HTTP/1.1\r\nAuthorization: x\r\n\r\nGET /cargo/ac/me/acme-secret',
  '/cargo/ac/me/acme-secret\r\nX-A: b',
  '/cargo/ac/me/acme-secret\0',
  '/cargo/api/v1/crates/acme-secret/1.0.0/download',
  '/cargo/ac/me/acme-secret?a#b',
  '/\u00e9',
  '*',
  '',
  `/${'a'.repeat(9000)}`,
]

/** The case of a seed: the same one each time. */
export function fuzzCase(seed: number): FuzzCase {
  const random = randomFrom(seed)
  const opening = openingOf(random)
  const frames = Array.from({ length: between(random, 0, 4) }, () => oddFrames(random, PATHS))
  const whole = Buffer.concat([opening, ...frames])
  const kept = random() < 0.2 ? whole.subarray(0, between(random, 0, whole.length + 1)) : whole
  return {
    seed,
    offer: offerOf(random),
    after: piecesOf(random, kept),
    waits: random() < 0.9,
    ends: seed % 20 === 0 ? 'stays' : pick(random, ['closes', 'half-closes']),
  }
}

function offerOf(random: Random): Buffer {
  const usual = random() < 0.5
  const path = usual ? pick(random, PATHS.slice(0, 6)) : pick(random, PATHS)
  const method = usual ? 'GET' : pick(random, ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'PRI'])
  const bytes = randomBytesFrom(random, between(random, 0, 3000))
  const odd: readonly (() => string)[] = [
    () => `HTTP2-Settings: ${bytes.toString('base64url')}`,
    () =>
      `HTTP2-Settings: ${bytes
        .subarray(0, 600)
        .toString('latin1')
        .replace(/[\r\n]/g, '')}`,
    () => `HTTP2-Settings: ${settings([4, 0], [5, 16_384], [99, 1]).toString('base64url')}`,
    () => `HTTP2-Settings: AAMAAABk\r\nHTTP2-Settings: AAMAAABk`,
    () => `Content-Length: ${between(random, 0, 40)}\r\nHTTP2-Settings: AAMAAABk`,
    () => 'Transfer-Encoding: chunked\r\nHTTP2-Settings: AAMAAABk',
    () => `X-A: ${'b'.repeat(between(random, 0, 15_000))}\r\nHTTP2-Settings: AAMAAABk`,
    () => 'X-A: b\r\n c\r\nHTTP2-Settings: AAMAAABk',
    () => 'X-A: b\rc\r\nHTTP2-Settings: AAMAAABk',
    () => 'Expect: 100-continue\r\nHTTP2-Settings: AAMAAABk',
    () => Array.from({ length: between(random, 50, 300) }, (_, nth) => `a${nth}: b`).join('\r\n'),
    () => 'X-Forwarded-For: 127.0.0.1\r\nHTTP2-Settings: AAMAAABk',
  ]
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'Host: x',
    `Authorization: ${GUEST_TOKEN}`,
    `Connection: ${OFFER['connection']}`,
    'Upgrade: h2c',
    usual ? `HTTP2-Settings: ${OFFER['http2-settings']}` : pick(random, odd)(),
  ]
  const behind = random() < 0.1 ? `GET ${pick(random, PATHS)} HTTP/1.1\r\nHost: x\r\n\r\n` : ''
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${behind}`, 'latin1')
}

function openingOf(random: Random): Buffer {
  const good = frame('settings', 0, 0, settings([3, 100], [4, 65_535]))
  if (random() < 0.6) return Buffer.concat([PREFACE, good])
  const broken = Buffer.from(PREFACE)
  broken[between(random, 0, broken.length)] = between(random, 0, 256)
  const many = Array.from({ length: between(random, 0, 3000) }, (_, nth) => [nth % 65_536, nth] as const)
  return pick(random, [
    () => Buffer.concat([broken, good]),
    () => Buffer.concat([PREFACE, frame('settings', 0, 0, settings(...many))]),
    () => Buffer.concat([PREFACE, frame('settings', 0, 0, Buffer.alloc(between(random, 0, 40)))]),
    () =>
      Buffer.concat([PREFACE, frame('settings', pick(random, [1, 255]), pick(random, [0, 1]), settings())]),
    () => Buffer.concat([PREFACE, oddFrames(random, PATHS)]),
    () => randomBytesFrom(random, between(random, 0, 200)),
    () => Buffer.alloc(0),
  ])()
}

/** As a whole, in pieces of some size, or byte by byte: as far as the first frames behind the opening go. */
function piecesOf(random: Random, bytes: Buffer): readonly Buffer[] {
  const size = pick(random, [1, between(random, 2, 100), MAX_BYTES, MAX_BYTES])
  const pieces: Buffer[] = []
  let at = 0
  for (; at < bytes.length && pieces.length < MAX_PIECES; at += size)
    pieces.push(bytes.subarray(at, at + size))
  return at < bytes.length ? [...pieces, bytes.subarray(at)] : pieces
}

const MAX_PIECES = 150
const MAX_BYTES = 2 ** 31
