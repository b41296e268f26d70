import assert from 'node:assert/strict'
import test from 'node:test'
import {
  type Claimant,
  GROUP_PREFIX,
  isOwner,
  mustOwn,
  withOwners,
  withoutOwners,
} from '../../src/protocol/ownership.ts'
import { publishing, recordOf } from '../support/changes.ts'

const record = { ...recordOf(publishing('foo', '1.0.0')), owners: ['ann', `${GROUP_PREFIX}rust`] }
const nobody: Claimant = { name: 'bob', groups: [], admin: false, ownsByRule: false }

test('isOwner() knows users, groups, administrators and rules', () => {
  const cases: readonly (readonly [Partial<Claimant>, boolean])[] = [
    [{}, false],
    [{ name: 'ann' }, true],
    [{ name: 'Ann' }, false],
    [{ groups: ['rust'] }, true],
    [{ groups: ['web', 'rust'] }, true],
    [{ groups: ['ann'] }, false],
    [{ groups: ['group:rust'] }, false],
    [{ name: 'rust' }, false],
    [{ name: 'group:rust' }, false],
    [{ admin: true }, true],
    [{ ownsByRule: true }, true],
  ]
  for (const [who, wanted] of cases) {
    assert.equal(isOwner(record, { ...nobody, ...who }), wanted, JSON.stringify(who))
  }
})

test('mustOwn() tells whom to ask', () => {
  mustOwn(record, { ...nobody, name: 'ann' })
  assert.throws(() => mustOwn(record, nobody), {
    code: 'forbidden',
    message: 'user `bob` is not an owner of `foo`: ask `ann` or `group:rust` for `cargo owner --add bob`',
  })
})

test('withOwners() adds each login once, behind the others', () => {
  assert.deepEqual(withOwners(record, ['zoe', 'ann', 'zoe', 'a.b@c-d_e+f$']), [
    ...record.owners,
    'zoe',
    'a.b@c-d_e+f$',
  ])
})

test('withOwners() refuses what is neither user nor group', () => {
  for (const login of ['', 'group:', 'a b', 'github:org:team', 'a/b', 'ä', 'a\n', 'a'.repeat(129)]) {
    assert.throws(() => withOwners(record, ['zoe', login]), { code: 'invalid_owner' }, login)
  }
})

test('withoutOwners() keeps the last one', () => {
  assert.deepEqual(withoutOwners(record, ['ann']), ['group:rust'])
  assert.deepEqual(withoutOwners(record, ['group:rust', 'group:rust']), ['ann'])
  for (const logins of [['ann', 'group:rust'], ['zoe'], ['ann', 'zoe']]) {
    assert.throws(() => withoutOwners(record, logins), { code: 'invalid_owner' }, logins.join())
  }
})
