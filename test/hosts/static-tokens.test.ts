import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { type StaticToken, staticTokenLookup } from '../../src/hosts/static-tokens.ts'

const hash = createHash('sha256').update('s3cret').digest('hex')

test('staticTokenLookup() finds tokens given in full or by their hash', () => {
  const find = staticTokenLookup([
    { token: 'first', user: 'joe', groups: ['a'] },
    { token_sha256: hash.toUpperCase(), user: 'ann', expires: '2030-01-01T00:00:00Z' },
  ])
  assert.deepEqual(find('first')?.principal.groups, ['a'])
  assert.equal(find('s3cret')?.principal.name, 'ann')
  assert.equal(find('s3cret')?.expires, Date.UTC(2030, 0))
  for (const text of ['', 'firs', 'first ', 'S3CRET', hash]) assert.equal(find(text), undefined, text)
})

test('staticTokenLookup() refuses bad entries by position, without their secret', () => {
  const bad: readonly StaticToken[] = [
    { user: 'joe' },
    { token: 's3cret', token_sha256: hash, user: 'joe' },
    { token: '', user: 'joe' },
    { token: 's3cret ', user: 'joe' },
    { token_sha256: 's3cret', user: 'joe' },
    { token: 's3cret', user: '' },
    { token: 's3cret', user: 'joe', expires: 'never' },
    { token: 's3cret', user: 'joe', crates: [''] },
  ]
  for (const entry of bad) {
    assert.throws(
      () => staticTokenLookup([{ token: 'fine', user: 'ann' }, entry]),
      (error: Error) =>
        /^token 2 of the configuration: /.test(error.message) && !/s3cret/.test(error.message),
      JSON.stringify(entry),
    )
  }
})
