import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBundledWorld } from './differential/bundled-world.ts'
import { divergences, shown } from './differential/judge.ts'
import { askAll, casesOf } from './differential/matrix.ts'
import { differences } from './differential/same.ts'
import { COMMON_SPELLINGS } from './differential/spellings.ts'
import { ABSENT, ASKERS, HIDDEN, OWNER } from './differential/subjects.ts'

test('over HTTP/2 no spelling or header gets more than the plain request either', async (t) => {
  const world = await startBundledWorld(t)
  const before = await world.digest()
  const spec = { spellings: COMMON_SPELLINGS, methods: ['GET', 'DELETE'] }
  const strangers = ASKERS.filter(({ name }) => ['bob', 'nobody'].includes(name))
  const asked = await askAll(world, [
    ...casesOf(world, { ...spec, subjects: [HIDDEN], askers: ASKERS }),
    ...casesOf(world, { ...spec, subjects: [ABSENT], askers: strangers }),
  ])
  assert.deepEqual(divergences(world, asked), [])
  const read = asked.filter(({ asker, answer }) => asker.name === OWNER && shown(world, answer) !== undefined)
  assert.ok(read.length > 10, `${read.length} were read by the owner`)
  const byStrangers = asked.filter(({ asker }) => strangers.includes(asker))
  assert.deepEqual(differences(byStrangers, HIDDEN, ABSENT), [])
  assert.equal(await world.digest(), before)
})
