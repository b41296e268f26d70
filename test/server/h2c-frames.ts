import { between, pick, type Random, randomBytesFrom } from '../support/random.ts'

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/** Of a user who may read what is open. */
export const GUEST_TOKEN = 'guest-token'

const TYPES = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goAway: 7,
  window: 8,
  continuation: 9,
}

/** A frame as RFC 9113 has it. */
export function frame(
  type: keyof typeof TYPES | number,
  flags: number,
  stream: number,
  payload: Buffer,
): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(typeof type === 'number' ? type : TYPES[type], 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** A SETTINGS payload. */
export function settings(...pairs: readonly (readonly [id: number, value: number])[]): Buffer {
  return Buffer.concat(
    pairs.map(([id, value]) => {
      const one = Buffer.alloc(6)
      one.writeUInt16BE(id, 0)
      one.writeUInt32BE(value, 2)
      return one
    }),
  )
}

/** Headers that are written out, of up to 16,000 bytes each. */
export function headerBlock(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  const text = (it: string) => {
    const bytes = Buffer.from(it, 'latin1')
    const rest = bytes.length - 127
    const length = rest < 0 ? [bytes.length] : rest < 128 ? [127, rest] : [127, (rest & 127) | 128, rest >> 7]
    return Buffer.concat([Buffer.from(length), bytes])
  }
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]))
}

/** A request on a stream; it has no body unless `flags` say so. */
export function request(stream: number, path: string, flags = 5, method = 'GET'): Buffer {
  const fields = [
    [':method', method],
    [':scheme', 'http'],
    [':authority', 'x'],
    [':path', path],
    ['authorization', GUEST_TOKEN],
  ] as const
  return frame('headers', flags, stream, headerBlock(fields))
}

/** A few frames of a kind that a well-behaved client would not send, or not so many of. */
export function oddFrames(random: Random, paths: readonly string[]): Buffer {
  const stream = 1 + 2 * between(random, 0, 6)
  const some = (count: number, make: (nth: number) => Buffer) =>
    Buffer.concat(Array.from({ length: between(random, 1, count) }, (_, nth) => make(nth)))
  const bytes = (length: number) => randomBytesFrom(random, between(random, 0, length))
  const word = Buffer.alloc(4)
  word.writeUInt32BE(pick(random, [0, 1, 8, 0x7fff_ffff, 0xffff_ffff]))
  const kinds: readonly (() => Buffer)[] = [
    () => some(20, (nth) => request(3 + 2 * nth, pick(random, paths))),
    () => request(stream, pick(random, paths), pick(random, [0, 1, 4, 5, 37, 45])),
    () => some(5, () => frame('data', pick(random, [0, 1, 8]), stream, bytes(300))),
    () => Buffer.concat([request(3, '/', 1), some(400, () => frame('continuation', 0, 3, bytes(200)))]),
    () => frame('continuation', 4, stream, bytes(100)),
    () =>
      some(300, (nth) =>
        Buffer.concat([request(3 + 2 * nth, pick(random, paths)), frame('reset', 0, 3 + 2 * nth, word)]),
      ),
    () => some(1200, () => frame('ping', 0, 0, Buffer.alloc(8))),
    () => some(1200, () => frame('settings', 0, 0, settings([4, between(random, 0, 2 ** 31)]))),
    () =>
      frame('settings', 0, 0, settings([pick(random, [1, 2, 3, 4, 5, 6, 99]), between(random, 0, 2 ** 32)])),
    () => frame('window', 0, pick(random, [0, 1, 3, 4]), word),
    () => frame('priority', 0, stream, Buffer.concat([word, Buffer.of(1)])),
    () => frame('push', 4, stream, Buffer.concat([word, headerBlock([[':path', '/']])])),
    () => frame('goAway', 0, 0, Buffer.concat([word, word])),
    () => frame(between(random, 10, 256), between(random, 0, 256), stream, bytes(300)),
    () => Buffer.concat([Buffer.of(0xff, 0xff, 0xff), bytes(300)]),
    () => frame('headers', 5, stream, bytes(400)),
    () =>
      frame(
        'headers',
        5,
        stream,
        headerBlock([
          [':path', '/'],
          [pick(random, ['A', 'a b', '', 'a\r\n', ':x']), 'a\r\nb: c\0'],
        ]),
      ),
    () => bytes(2000),
  ]
  return pick(random, kinds)()
}
