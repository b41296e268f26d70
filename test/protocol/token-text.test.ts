import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { createToken } from '../../src/hosts/tokens.ts'
import { hasToken, withoutTokens } from '../../src/protocol/token-text.ts'

test('hasToken() knows what createToken() makes, withoutTokens() takes it out', async () => {
  const { token } = await createToken(memoryStorage(), { user: 'ann', groups: [] })
  assert.ok(hasToken(`/cargo/${token}/x`))
  assert.equal(withoutTokens(`/${token}/${token}.json`), '/vcargo_…/vcargo_….json')
})

test('hasToken() takes no name for a token', () => {
  for (const text of ['', '/vc/ar/vcargo_tools', 'vcargo_', token.slice(0, -1)])
    assert.ok(!hasToken(text), text)
})

const token = `vcargo_${'x'.repeat(43)}`
