import assert from 'node:assert/strict'
import test from 'node:test'
import { parseCredential } from '../../src/hosts/credential.ts'

const base64 = (text: string | Uint8Array) => Buffer.from(text).toString('base64')

test('parseCredential() reads every form that clients send', () => {
  const token = (text: string) => ({ kind: 'token', token: text })
  const cases: readonly (readonly [string, object])[] = [
    ['abc', token('abc')],
    ['  abc\t', token('abc')],
    ['Bearer abc', token('abc')],
    ['bEARER \t abc', token('abc')],
    ['token abc', token('abc')],
    ['Tokens', token('Tokens')],
    ['two words', token('two words')],
    [`Basic ${base64('joe:secret')}`, { kind: 'basic', user: 'joe', password: 'secret' }],
    [`basic ${base64('joe:a:b')}`, { kind: 'basic', user: 'joe', password: 'a:b' }],
    [`BASIC ${base64('joe:').replace(/=+$/, '')}`, { kind: 'basic', user: 'joe', password: '' }],
    [`Basic ${base64('jörg:pässwort')}`, { kind: 'basic', user: 'jörg', password: 'pässwort' }],
  ]
  for (const [header, expected] of cases) assert.deepEqual(parseCredential(header), expected, header)
})

test('parseCredential() refuses garbage and does not repeat it', () => {
  const cases = [
    '',
    ' ',
    'Bearer',
    'Token  ',
    'Basic',
    'Basic ?secret?',
    `Basic ${base64('secret')}`,
    `Basic ${base64('jo\0e:secret')}`,
    `Basic ${base64(new Uint8Array([0xff, 0x3a, 0x61]))}`,
    'secret\x7f',
    'secret\r\n',
    'secrét',
    'secret'.repeat(1000),
  ]
  for (const header of cases) {
    assert.throws(
      () => parseCredential(header),
      (error: Error & { code?: string }) =>
        error.code === 'invalid_credential' && !/secr/.test(error.message),
      header,
    )
  }
})
