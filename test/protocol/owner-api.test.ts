import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownerOf, renderOwners, renderOwnerTeams, renderOwnerUsers } from '../../src/protocol/owner-api.ts'

test('renderOwners() gives each owner a stable 32-bit number', () => {
  const [a, b] = renderOwners(['alice', 'bob'].map(ownerOf)).users
  assert.deepEqual(renderOwners([ownerOf('bob')]).users, [b])
  assert.notEqual(a?.id, b?.id)
  assert.ok(a !== undefined && Number.isInteger(a.id) && a.id >= 0 && a.id < 2 ** 32)
})

test('renderOwners() tells users and teams, the other two one of them each', () => {
  const owners = ['ann', 'group:rust-team'].map(ownerOf)
  const [ann, team] = renderOwners(owners).users
  assert.deepEqual([ann?.kind, team?.kind], ['user', 'team'])
  assert.deepEqual(renderOwnerUsers(owners), { users: [ann] })
  assert.deepEqual(renderOwnerTeams(owners), { teams: [team] })
})

test('renderOwners() tells what another registry says of an owner', () => {
  const owner = { login: 'dt', kind: 'user', id: 7, name: 'D', avatar: 'a', url: 'u' } as const
  assert.deepEqual(renderOwners([owner]).users, [owner])
})
