import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ownerOf,
  parseOwners,
  renderOwners,
  renderOwnerTeams,
  renderOwnerUsers,
} from '../../src/protocol/owner-api.ts'

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

test('parseOwners() reads what is an owner, and leaves out what is not', () => {
  const read = (value: unknown) => parseOwners(Buffer.from(JSON.stringify(value)))
  const owner = { login: 'dt', kind: 'user', id: 7, name: 'D', avatar: 'https://a/1', url: 'https://u/1' }
  assert.deepEqual(renderOwners(read({ users: [owner] }) ?? []).users, [owner])
  const foreign = {
    login: 'x',
    kind: 'robot',
    id: 2 ** 32,
    name: 'a\nb',
    avatar: 'data:,',
    url: 'javascript:1',
  }
  const [made] = renderOwners([ownerOf('x')]).users
  assert.deepEqual(renderOwners(read({ users: [null, 7, {}, { login: '' }, foreign] }) ?? []).users, [made])
  for (const value of [null, [], {}, { users: {} }]) assert.equal(read(value), undefined)
  assert.equal(parseOwners(Buffer.from('{"users":[')), undefined)
  assert.equal(read({ users: Array.from({ length: 1000 }, (_, n) => ({ login: `u${n}` })) })?.length, 200)
})
