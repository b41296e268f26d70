import assert from 'node:assert/strict'
import test from 'node:test'
import type { ErrorCode } from '../../src/errors.ts'
import {
  decideOwners,
  decidePublish,
  decideRemove,
  decideYank,
  mustBeNew,
  mustExist,
} from '../../src/protocol/decide.ts'
import type { Claimant } from '../../src/protocol/ownership.ts'
import { foldChange } from '../../src/protocol/record.ts'
import { publishing, recordOf, stamp } from '../support/changes.ts'

const ann: Claimant = { name: 'ann', groups: [], admin: false, ownsByRule: false }
const bob: Claimant = { ...ann, name: 'bob' }
const record = recordOf(
  publishing('Foo-Bar', '1.0.0+a'),
  publishing('Foo-Bar', '1.1.0'),
  { kind: 'remove', ...stamp(), vers: '1.1.0' },
  publishing('Foo-Bar', '1.2.0'),
  { kind: 'yank', ...stamp(), vers: '1.2.0' },
)
const removed = foldChange(record, record.n + 1, { kind: 'remove', ...stamp() })

function codeOf(run: () => unknown): ErrorCode | 'ok' {
  let code: ErrorCode | 'ok' = 'ok'
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error)
    code = error.code as ErrorCode
  }
  return code
}

test('mustBeNew() judges names and versions', () => {
  const cases: readonly (readonly [string, string, Claimant, ErrorCode | 'ok'])[] = [
    ['Foo-Bar', '2.0.0', ann, 'ok'],
    ['Foo-Bar', '1.0.0-a', ann, 'ok'],
    ['Foo-Bar', '1.0.0+a', ann, 'already_exists'],
    ['Foo-Bar', '1.0.0', ann, 'already_exists'],
    ['Foo-Bar', '1.0.0+b', ann, 'already_exists'],
    ['Foo-Bar', '1.1.0', ann, 'already_exists'],
    ['Foo-Bar', '1.1.0+b', ann, 'already_exists'],
    ['Foo-Bar', '1.2.0', ann, 'already_exists'],
    ['foo-bar', '2.0.0', ann, 'already_exists'],
    ['Foo_Bar', '2.0.0', ann, 'already_exists'],
    ['Foo-Bar', '2.0.0', bob, 'forbidden'],
    ['foo_bar', '2.0.0', bob, 'forbidden'],
    ['Foo-Bar', '2.0.0', { ...bob, admin: true }, 'ok'],
    ['Foo-Bar', '2.0.0', { ...bob, ownsByRule: true }, 'ok'],
  ]
  for (const [name, vers, who, wanted] of cases) {
    assert.equal(
      codeOf(() => mustBeNew(record, name, vers, who)),
      wanted,
      `${name} ${vers} ${who.name}`,
    )
  }
})

test('mustBeNew() accepts an unknown name, and never one that was removed', () => {
  assert.equal(
    codeOf(() => mustBeNew(undefined, 'foo', '1.0.0', bob)),
    'ok',
  )
  for (const [name, who] of [
    ['Foo-Bar', ann],
    ['foo_bar', bob],
    ['Foo-Bar', { ...ann, admin: true }],
  ] as const) {
    assert.equal(
      codeOf(() => mustBeNew(removed, name, '9.0.0', who)),
      'already_exists',
    )
  }
})

test('mustBeNew() names the twin', () => {
  assert.throws(() => mustBeNew(record, 'Foo-Bar', '1.0.0+b', ann), {
    message:
      'crate version `Foo-Bar@1.0.0+b` already exists: `1.0.0+a` differs from it only in build metadata',
  })
  assert.throws(() => mustBeNew(record, 'foo-bar', '2.0.0', ann), {
    message: 'crate name `foo-bar` is taken: it differs from `Foo-Bar` only in case, `-` or `_`',
  })
})

test('decidePublish() makes the first publisher owner', () => {
  const { entry, details } = publishing('new', '1.0.0')
  const mark = stamp()
  assert.deepEqual(decidePublish(undefined, { entry, details }, bob, mark), {
    kind: 'publish',
    ...mark,
    entry,
    details,
    owners: ['bob'],
  })
  const later = publishing('Foo-Bar', '3.0.0')
  assert.equal(decidePublish(record, later, ann, mark).owners, undefined)
  assert.throws(() => decidePublish(record, later, bob, mark), { code: 'forbidden' })
})

test('decideYank() makes a change only when the state changes', () => {
  const mark = stamp()
  const decide = (vers: string, yank: boolean) =>
    decideYank(record, { name: 'Foo-Bar', vers, yank }, ann, mark)
  assert.deepEqual(decide('1.0.0+a', true), { kind: 'yank', ...mark, vers: '1.0.0+a' })
  assert.equal(decide('1.0.0+a', false), undefined)
  assert.deepEqual(decide('1.2.0', false), { kind: 'unyank', ...mark, vers: '1.2.0' })
  assert.equal(decide('1.2.0', true), undefined)
})

test('decideYank() refuses unknown versions and names, and others', () => {
  const cases: readonly (readonly [string, string, Claimant, ErrorCode])[] = [
    ['Foo-Bar', '9.0.0', ann, 'not_found'],
    ['Foo-Bar', '1.0.0', ann, 'not_found'],
    ['Foo-Bar', '1.1.0', ann, 'not_found'],
    ['foo-bar', '1.2.0', ann, 'not_found'],
    ['Foo-Bar', '1.2.0', bob, 'forbidden'],
  ]
  for (const [name, vers, who, wanted] of cases) {
    assert.equal(
      codeOf(() => decideYank(record, { name, vers, yank: true }, who, stamp())),
      wanted,
      `${name} ${vers}`,
    )
  }
})

test('decideOwners() makes a change only when the owners change', () => {
  const mark = stamp()
  const add = (...logins: readonly string[]) =>
    decideOwners(record, { name: 'Foo-Bar', add: logins }, ann, mark)
  assert.deepEqual(add('bob', 'group:rust', 'bob'), {
    kind: 'owners',
    ...mark,
    owners: ['ann', 'bob', 'group:rust'],
  })
  assert.equal(add('ann'), undefined)
  const both = { ...record, owners: ['ann', 'bob'] }
  assert.deepEqual(decideOwners(both, { name: 'Foo-Bar', remove: ['ann'] }, ann, mark), {
    kind: 'owners',
    ...mark,
    owners: ['bob'],
  })
})

test('decideOwners() keeps the last owner, and refuses others', () => {
  const remove = (who: Claimant, ...logins: readonly string[]) =>
    codeOf(() => decideOwners(record, { name: 'Foo-Bar', remove: logins }, who, stamp()))
  assert.equal(remove(ann, 'ann'), 'invalid_owner')
  assert.equal(remove(ann, 'bob'), 'invalid_owner')
  assert.equal(remove({ ...bob, admin: true }, 'ann'), 'invalid_owner')
  assert.equal(remove(bob, 'ann'), 'forbidden')
})

test('mustExist() knows a crate by its published spelling only', () => {
  assert.equal(mustExist(record, 'Foo-Bar'), record)
  for (const [found, name] of [
    [undefined, 'foo'],
    [record, 'foo-bar'],
    [record, 'Foo_Bar'],
    [removed, 'Foo-Bar'],
  ] as const) {
    assert.throws(() => mustExist(found, name), {
      code: 'not_found',
      message: `crate \`${name}\` does not exist`,
    })
  }
})

test('decideRemove() takes a version or the crate away, once, for its owners', () => {
  const mark = stamp()
  const decide = (found: typeof record | undefined, who: Claimant, vers?: string, name = 'Foo-Bar') =>
    decideRemove(found, { name, vers }, who, mark)
  assert.deepEqual(decide(record, ann), { kind: 'remove', ...mark })
  assert.deepEqual(decide(record, ann, '1.2.0'), { kind: 'remove', ...mark, vers: '1.2.0' })
  assert.equal(decide(record, ann, '1.1.0'), undefined)
  assert.equal(decide(removed, ann), undefined)
  assert.equal(decide(removed, ann, '1.2.0'), undefined)
  const refused: readonly (readonly [ErrorCode, () => unknown])[] = [
    ['not_found', () => decide(undefined, ann)],
    ['not_found', () => decide(record, ann, undefined, 'foo-bar')],
    ['not_found', () => decide(record, ann, '1.0.0')],
    ['not_found', () => decide(record, ann, '3.0.0')],
    ['not_found', () => decide(removed, ann, '3.0.0')],
    ['not_found', () => decide(removed, bob)],
    ['forbidden', () => decide(record, bob)],
    ['forbidden', () => decide(record, bob, '9.0.0')],
  ]
  for (const [code, run] of refused) assert.equal(codeOf(run), code)
})
