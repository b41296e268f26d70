import assert from 'node:assert/strict'
import test from 'node:test'
import type { Action } from '../../src/host.ts'
import { type TokenGrant, tokenOf } from '../../src/hosts/token-scope.ts'

test('tokenOf() turns scopes into `may`', () => {
  const joe = { user: 'joe', groups: [] }
  const cases: readonly (readonly [TokenGrant, Action, string | undefined, boolean])[] = [
    [joe, 'admin', undefined, true],
    [joe, 'publish', 'any', true],
    [{ ...joe, crates: ['acme-*'] }, 'publish', 'Acme_Log', true],
    [{ ...joe, crates: ['acme-*'] }, 'publish', 'other', false],
    [{ ...joe, crates: ['acme-*'] }, 'read', 'other', false],
    [{ ...joe, crates: ['acme-*'] }, 'read', undefined, true],
    [{ ...joe, crates: [] }, 'publish', 'a', false],
    [{ ...joe, actions: ['read'] }, 'read', 'a', true],
    [{ ...joe, actions: ['read'] }, 'publish', 'a', false],
    [{ ...joe, actions: [] }, 'yank', 'a', false],
    [{ ...joe, actions: ['publish'] }, 'publish', 'a', true],
    [{ ...joe, actions: ['publish'] }, 'admin', undefined, false],
    // cargo reads the index with the token that it publishes with.
    [{ ...joe, actions: ['publish'], crates: ['acme-*'] }, 'read', 'serde', true],
    [{ ...joe, actions: ['publish'], crates: ['acme-*'] }, 'publish', 'serde', false],
    [{ ...joe, actions: ['publish', 'read'], crates: ['acme-*'] }, 'read', 'serde', false],
  ]
  for (const [grant, action, crate, expected] of cases) {
    const { principal } = tokenOf('id', grant)
    assert.equal(principal.may?.(action, crate), expected, JSON.stringify([grant, action, crate]))
  }
})
