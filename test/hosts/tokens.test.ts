import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import type { ObjectStore } from '../../src/host.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { createToken, listTokens, revokeToken, tokenLookup } from '../../src/hosts/tokens.ts'

const GRANT = { user: 'joe', groups: ['rust-team'] } as const

test('createToken() keeps a record without the token', async () => {
  const store = memoryStorage()
  const made = await createToken(store, { ...GRANT, crates: ['acme-*'] }, new Date(0))
  assert.match(made.token, /^vcargo_[\w-]{43}$/)
  const id = made.record.id
  const expected = { id, created: '1970-01-01T00:00:00.000Z', ...GRANT, crates: ['acme-*'] }
  assert.deepEqual(await listTokens(store), [expected])
  for await (const { key } of store.list('')) {
    assert.match(key, new RegExp(`^tokens/${id}[0-9a-f]{48}\\.json$`))
    const object = await store.get(key)
    const text = (await object?.body.toArray())?.join('') ?? ''
    assert.deepEqual(JSON.parse(text), expected)
    assert.equal(text.includes(made.token.slice(7)), false)
  }
})

test('createToken() refuses a bad grant and stores nothing', async () => {
  const store = memoryStorage()
  const bad = [
    { ...GRANT, user: '' },
    { ...GRANT, expires: 'soon' },
    { ...GRANT, crates: [''] },
  ]
  for (const grant of bad) await assert.rejects(createToken(store, grant), /invalid/)
  assert.deepEqual(await listTokens(store), [])
})

test('tokenLookup() forgets a revoked token within 59 s, and learns a new one within 5 s', async () => {
  const store = memoryStorage()
  let time = 0
  const lookup = tokenLookup(store, () => time)
  const { token, record } = await createToken(store, GRANT)
  assert.equal((await lookup.find(token))?.principal.name, 'joe')
  assert.equal(await revokeToken(store, record.id), true)
  assert.equal(await revokeToken(store, record.id), false)
  time = 58_999
  assert.equal((await lookup.find(token))?.principal.tokenId, record.id)
  time = 59_000
  assert.equal(await lookup.find(token), undefined)

  const [key, text] = [await keyOf(token), JSON.stringify(record)]
  await store.put(key, Buffer.from(text))
  time = 63_999
  assert.equal(await lookup.find(token), undefined)
  time = 64_000
  assert.equal((await lookup.find(token))?.principal.name, 'joe')
})

test('tokenLookup() asks the store once for many at a time, and never for what is no token', async () => {
  const inner = memoryStorage()
  const { token } = await createToken(inner, GRANT)
  let reads = 0
  const store: ObjectStore = {
    ...inner,
    async get(key) {
      reads++
      return inner.get(key)
    },
  }
  const lookup = tokenLookup(store)
  await Promise.all(Array.from({ length: 50 }, () => lookup.find(token)))
  assert.equal(reads, 1)
  for (const text of ['', 'x', `${token}x`, token.slice(0, -1), '../../x']) {
    assert.equal(await lookup.find(text), undefined)
  }
  assert.equal(reads, 1)
})

test('tokenLookup() is unavailable when the store fails or the record is damaged, and recovers', async () => {
  const inner = memoryStorage()
  const { token, record } = await createToken(inner, GRANT)
  let broken = true
  const store: ObjectStore = {
    ...inner,
    async get(key) {
      if (broken) throw new Error('disk on fire')
      return inner.get(key)
    },
  }
  const lookup = tokenLookup(store)
  await assert.rejects(lookup.find(token), { code: 'unavailable' })
  broken = false
  const key = await keyOf(token)
  const damaged = ['', '{', 'null', '[]', '{"user":1}', JSON.stringify({ ...record, actions: ['fly'] })]
  for (const text of damaged) {
    await inner.put(key, Buffer.from(text))
    await assert.rejects(lookup.find(token), { code: 'unavailable' }, text)
  }
  await inner.put(key, Buffer.from(JSON.stringify(record)))
  assert.equal((await lookup.find(token))?.principal.name, 'joe')
})

test('revokeToken() deletes nothing for an id that is none', async () => {
  const store = memoryStorage()
  await createToken(store, GRANT)
  for (const id of ['', 'a', '../tokens', '0'.repeat(64)]) assert.equal(await revokeToken(store, id), false)
  assert.equal((await listTokens(store)).length, 1)
})

async function keyOf(token: string): Promise<string> {
  return `tokens/${createHash('sha256').update(token).digest('hex')}.json`
}
