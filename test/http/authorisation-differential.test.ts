import assert from 'node:assert/strict'
import { test } from 'node:test'
import { divergences, shown } from './differential/judge.ts'
import { type Asked, askAll, casesOf, type MatrixSpec, METHODS } from './differential/matrix.ts'
import { differences, differencesBetween } from './differential/same.ts'
import { COMMON_SPELLINGS, SPELLINGS } from './differential/spellings.ts'
import {
  ABSENT,
  ADMIN,
  ASKERS,
  type Asker,
  HIDDEN,
  OPEN,
  OPEN_ABSENT,
  OTHER,
  OWNER,
  WORDS,
} from './differential/subjects.ts'
import { type HiddenBy, startWorld, type World } from './differential/world.ts'

// What the routes are is asked of the plugin: a route that is added is in here by itself.

/** So many of the problems are told; one cause makes hundreds. */
const TOLD = 10
const STRANGERS: readonly Asker[] = ASKERS.filter(({ name }) => [OTHER, 'nobody'].includes(name))
const CHANGERS: readonly Asker[] = ASKERS.filter(({ name }) => [OWNER, ADMIN].includes(name))
const COMMON = { spellings: COMMON_SPELLINGS, disguised: false }

const HIDING: readonly HiddenBy[] = ['rules', 'host']

test('the matrix is as large as is promised', async (t) => {
  assert.ok(SPELLINGS.length >= 12 && COMMON_SPELLINGS.length >= 12)
  assert.deepEqual([METHODS.length, ASKERS.length], [7, 5])
  const world = await startWorld(t, { hiddenBy: 'rules' })
  const cases = casesOf(world, { subjects: [HIDDEN], askers: STRANGERS })
  const titles = new Set(cases.map(({ title }) => title))
  assert.deepEqual(
    SPELLINGS.filter(({ title }) => !titles.has(title)),
    [],
  )
})

for (const hiddenBy of HIDING) {
  test(`hidden by ${hiddenBy}: no spelling, method or header gets more than the plain request`, async (t) => {
    const world = await startWorld(t, { hiddenBy })
    const before = await world.digest()
    const asked = await ask(world, { subjects: [HIDDEN], askers: ASKERS })
    none(divergences(world, asked))
    mustBeMeant(world, asked)
    // Where reads need a login, nobody gets past without one.
    const askers = STRANGERS.filter(({ name }) => hiddenBy === 'host' || name === OTHER)
    const absent = await ask(world, { subjects: [ABSENT], askers })
    none(divergences(world, absent))
    none(differences([...asked, ...absent], HIDDEN, ABSENT))
    assert.equal(await world.digest(), before, 'a refused request changed what is stored')
  })

  test(`hidden by ${hiddenBy}: who may change a crate may not do more by another spelling`, async (t) => {
    const world = await startWorld(t, { hiddenBy })
    const asked = await ask(world, { subjects: [HIDDEN], askers: CHANGERS, changes: true })
    none(divergences(world, asked))
    const done = asked.filter(({ asker, answer }) => asker.name === OWNER && answer.status === 200)
    assert.ok(done.length > 10)
  })

  test(`hidden by ${hiddenBy}: others get the answers of a registry without the hidden crates`, async (t) => {
    // Answers tell the second in which a crate was published: one for both.
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
    const [world, twin] = await Promise.all([
      startWorld(t, { hiddenBy }),
      startWorld(t, { hiddenBy, hasHidden: false }),
    ])
    const spec = { ...COMMON, subjects: [HIDDEN, OPEN, ...WORDS], methods: ['GET'] }
    const strangers = { ...spec, askers: STRANGERS }
    const [here, there] = [await ask(world, strangers), await ask(twin, strangers)]
    none(differencesBetween(here, there))
    none(divergences(world, here))
  })
}

test('crates that are named like words of paths are hidden and open like any other', async (t) => {
  const world = await startWorld(t, { hiddenBy: 'rules' })
  const before = await world.digest()
  const askers = ASKERS.filter(({ name }) => [OWNER, OTHER].includes(name))
  const asked = await ask(world, { ...COMMON, subjects: WORDS, askers, methods: ['GET', 'DELETE'] })
  none(divergences(world, asked))
  for (const word of WORDS) {
    const read = asked.filter((it) => it.subject === word && it.asker.name === OWNER)
    assert.ok(
      read.some(({ answer }) => shown(world, answer) !== undefined),
      `${word.name} was never read`,
    )
  }
  assert.equal(await world.digest(), before)
})

test('what is open is as open in every spelling, and no more', async (t) => {
  const world = await startWorld(t, { hiddenBy: 'host' })
  const before = await world.digest()
  const asked = await ask(world, {
    ...COMMON,
    subjects: [OPEN],
    askers: ASKERS,
    methods: ['GET', 'PUT', 'DELETE'],
  })
  none(divergences(world, asked))
  const reads = { ...COMMON, methods: ['GET', 'HEAD'], askers: STRANGERS }
  const absent = await ask(world, { ...reads, subjects: [OPEN_ABSENT] })
  const hidden = await ask(world, { ...reads, subjects: [HIDDEN] })
  none(differences([...absent, ...hidden], HIDDEN, OPEN_ABSENT))
  assert.equal(await world.digest(), before)
})

async function ask(world: World, spec: MatrixSpec): Promise<readonly Asked[]> {
  return askAll(world, casesOf(world, spec))
}

function none(problems: readonly string[]): void {
  assert.deepEqual(problems.slice(0, TOLD), [], `${problems.length} in all`)
}

/** That the plain requests mean what the matrix takes them for. */
function mustBeMeant(world: World, asked: readonly Asked[]): void {
  const plain = (who: string, what: string) => {
    const found = asked.find(
      ({ asker, title, request }) =>
        title === 'plain' &&
        asker.name === who &&
        `${request.method} ${request.target.slice(world.mount.length)}` === what,
    )
    return found?.answer
  }
  const crate = `/api/v1/crates/${HIDDEN.name}`
  for (const path of ['/ac/me/acme-hidden', `${crate}/1.0.0/download`, `${crate}/owners`]) {
    for (const who of [OWNER, 'reader']) {
      const answer = plain(who, `GET ${path}`)
      assert.equal(answer?.status, 200, `${who} ${path}`)
      assert.notEqual(answer && shown(world, answer), undefined, `${who} ${path}`)
    }
    assert.equal(plain(OTHER, `GET ${path}`)?.status, 404, path)
    assert.ok([401, 404].includes(plain('nobody', `GET ${path}`)?.status ?? 0), path)
  }
  for (const write of [
    'PUT /api/v1/crates/new',
    `DELETE ${crate}/1.0.0/yank`,
    `PUT ${crate}/1.0.0/unyank`,
    `PUT ${crate}/owners`,
    `DELETE ${crate}/owners`,
  ]) {
    assert.equal(plain('reader', write)?.status, 403, write)
    assert.ok([403, 404].includes(plain(OTHER, write)?.status ?? 0), write)
    assert.equal(plain('nobody', write)?.status, 401, write)
  }
}
