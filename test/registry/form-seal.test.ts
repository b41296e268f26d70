import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { createFormSeal } from '../../src/registry/form-seal.ts'

test('a seal holds for its user, on every process of the store, for twelve hours', async () => {
  let time = 1_000_000
  const storage = memoryStorage()
  const [one, other] = [storage, storage].map((store) => createFormSeal(store, () => new Date(time)))
  const stranger = createFormSeal(memoryStorage(), () => new Date(time))
  const seal = (await one?.make('joe')) ?? ''
  assert.equal(await other?.check('joe', seal), true)
  assert.equal(await other?.check('mia', seal), false)
  assert.equal(await stranger.check('joe', seal), false)
  for (const wrong of ['', '.', '1.x', seal.slice(0, -1), `${seal}=`, seal.replace(/^\d+/, '9999999999999')])
    assert.equal(await other?.check('joe', wrong), false, wrong)
  time += 12 * 60 * 60 * 1000 - 1
  assert.equal(await other?.check('joe', seal), true)
  time += 1
  assert.equal(await other?.check('joe', seal), false)
})

test('a store that was away for the secret is asked again', async () => {
  const inner = memoryStorage()
  let isAway = true
  const get: typeof inner.get = async (...args) => {
    if (isAway) throw new Error('away')
    return inner.get(...args)
  }
  const seal = createFormSeal({ ...inner, get }, () => new Date(0))
  await assert.rejects(seal.make('joe'), /away/)
  isAway = false
  assert.equal(await seal.check('joe', await seal.make('joe')), true)
})
