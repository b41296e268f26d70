import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import test from 'node:test'
import { apr1 } from '../../src/hosts/apr1.ts'

test('apr1() makes what openssl makes', () => {
  const passwords = ['a', 'secret', '0123456789abcdef', '0123456789abcdef0', 'pässwört', 'x'.repeat(100)]
  for (const salt of ['a', 'saltsalt', './09AZaz']) {
    // openssl reads one password a line.
    const input = `${passwords.join('\n')}\n`
    const output = execFileSync('openssl', ['passwd', '-apr1', '-salt', salt, '-stdin'], { input })
    const expected = output.toString().trim().split('\n')
    assert.deepEqual(
      passwords.map((password) => `$apr1$${salt}$${apr1(password, salt)}`),
      expected,
    )
  }
})
