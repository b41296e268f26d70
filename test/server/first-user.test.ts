import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAuth } from '../../src/hosts/auth.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { createToken } from '../../src/hosts/tokens.ts'
import { createFirstToken, renderFirstSteps } from '../../src/server/first-user.ts'

test('createFirstToken() makes a token of `admin` once', async () => {
  const store = memoryStorage()
  const token = await createFirstToken(store)
  assert.ok(token)
  const principal = await createAuth({ store }).authenticate(token, {} as never)
  assert.equal(principal?.name, 'admin')
  assert.equal(await createFirstToken(store), undefined)
})

test('createFirstToken() makes none when there is a token', async () => {
  const store = memoryStorage()
  await createToken(store, { user: 'ann', groups: [] })
  assert.equal(await createFirstToken(store), undefined)
})

test('renderFirstSteps() gives settings that can be pasted', () => {
  const text = renderFirstSteps('http://127.0.0.1:8081/cargo', 'vcargo_x')
  assert.match(
    text,
    /^\[registries\.local\]\nindex = "sparse\+http:\/\/127\.0\.0\.1:8081\/cargo\/"\ncredential-provider = "cargo:token"$/m,
  )
  assert.match(text, /^vcargo_x$/m)
})
