import { createHash } from 'node:crypto'

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const MAGIC = '$apr1$'
const ROUNDS = 1000

/** The order in which the digest's bytes are written, three at a time. */
const TRIPLES = [
  [0, 6, 12],
  [1, 7, 13],
  [2, 8, 14],
  [3, 9, 15],
  [4, 10, 5],
] as const

/**
 * The 22 characters that Apache's `$apr1$` variant of MD5-crypt makes of a password; `salt` has 1 to 8 ASCII characters.
 * See https://httpd.apache.org/docs/2.4/misc/password_encryptions.html.
 */
export function apr1(password: string, salt: string): string {
  const secret = Buffer.from(password)
  let digest = md5(start(secret, salt))
  for (let round = 0; round < ROUNDS; round++) {
    const odd = round % 2 === 1
    const parts: (string | Buffer)[] = [odd ? secret : digest]
    if (round % 3 !== 0) parts.push(salt)
    if (round % 7 !== 0) parts.push(secret)
    parts.push(odd ? digest : secret)
    digest = md5(parts)
  }
  return encode(digest)
}

/** What the first digest is made of: all of it depends on the password's length. */
function start(secret: Buffer, salt: string): readonly (string | Buffer)[] {
  const parts: (string | Buffer)[] = [secret, MAGIC, salt]
  const mixed = md5([secret, salt, secret])
  for (let left = secret.length; left > 0; left -= mixed.length) parts.push(mixed.subarray(0, left))
  for (let bits = secret.length; bits > 0; bits >>= 1) {
    parts.push(bits % 2 === 1 ? Buffer.alloc(1) : secret.subarray(0, 1))
  }
  return parts
}

function md5(parts: readonly (string | Buffer)[]): Buffer {
  const hash = createHash('md5')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

function encode(digest: Buffer): string {
  const triples = TRIPLES.map(([high, middle, low]) =>
    sextets((digest.readUInt8(high) << 16) | (digest.readUInt8(middle) << 8) | digest.readUInt8(low), 4),
  )
  return triples.join('') + sextets(digest.readUInt8(11), 2)
}

function sextets(value: number, count: number): string {
  return Array.from({ length: count }, (_, i) => ALPHABET.charAt((value >> (6 * i)) & 63)).join('')
}
