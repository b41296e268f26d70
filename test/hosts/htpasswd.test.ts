import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import bcrypt from 'bcryptjs'
import { apr1 } from '../../src/hosts/apr1.ts'
import { openHtpasswd } from '../../src/hosts/htpasswd.ts'
import { parseHtpasswd } from '../../src/hosts/htpasswd-entry.ts'
import { leastOf } from '../support/work-time.ts'

const sha = (password: string) => `{SHA}${createHash('sha1').update(password).digest('base64')}`
const bcrypted = (password: string, cost = 4) => bcrypt.hashSync(password, cost)

async function fileWith(t: TestContext, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'htpasswd-'))
  t.after(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'htpasswd'), text)
  return join(folder, 'htpasswd')
}

test('verify() accepts every kind of hash, and the right password only', async (t) => {
  const bytes = bcrypted('pw-b').slice(3)
  const lines = [
    '# users',
    `b:$2b${bytes}:autocreated 2026-01-01`,
    `y:$2y${bytes}`,
    `a:$2a${bytes}\r`,
    '',
    `apr:$apr1$saltsalt$${apr1('pw-b', 'saltsalt')}`,
    `sha:${sha('pw-b')}`,
  ]
  const users = await openHtpasswd(await fileWith(t, lines.join('\n')))
  for (const user of ['b', 'y', 'a', 'apr', 'sha']) {
    assert.deepEqual(await users.verify(user, 'pw-b'), { name: user, groups: [] })
    assert.deepEqual(await users.verify(user, 'pw-b'), { name: user, groups: [] })
    for (const wrong of ['', 'pw-c', 'PW-B', 'x'.repeat(2000)]) {
      assert.equal(await users.verify(user, wrong), undefined, `${user} ${wrong}`)
    }
  }
  assert.equal(await users.verify('nobody', 'pw-b'), undefined)
  assert.equal(await users.verify('__proto__', 'pw-b'), undefined)
})

test('parseHtpasswd() refuses other lines by number and user, without the hash', () => {
  const cases = [
    ['joe:plain-secret', /line 2: .*`joe`/],
    ['joe:$1$salt$secretsecretsecretsecr', /line 2: .*`joe`/],
    [`joe:${bcrypted('x').replace('$04$', '$31$')}`, /line 2: .*`joe`/],
    ['joe:{SHA}secret', /line 2: .*`joe`/],
    ['joe:', /line 2: .*`joe`/],
    ['secret', /line 2: must be/],
    [':secret', /line 2: must be/],
    [`ann:${sha('x')}`, /line 2: .*`ann` is there twice/],
  ] as const
  for (const [line, message] of cases) {
    assert.throws(
      () => parseHtpasswd(`ann:${sha('a')}\n${line}\n`),
      (error: Error) => message.test(error.message) && !error.message.includes('secret'),
      line,
    )
  }
})

test('openHtpasswd() follows the file, at most once a second', async (t) => {
  const file = await fileWith(t, `joe:${sha('old')}\n`)
  let time = 0
  const users = await openHtpasswd(file, { now: () => time })
  assert.ok(await users.verify('joe', 'old'))
  await writeFile(file, `joe:${sha('new')}\nann:${sha('x')}\n`)
  time = 999
  assert.ok(await users.verify('joe', 'old'))
  time = 1000
  assert.equal(await users.verify('joe', 'old'), undefined)
  assert.ok(await users.verify('joe', 'new'))
})

test('openHtpasswd() goes on with the last users when the file cannot be used any more, and tells it once', async (t) => {
  const file = await fileWith(t, `joe:${sha('old')}\nann:${sha('x')}\n`)
  let time = 0
  const problems: string[] = []
  const users = await openHtpasswd(file, {
    now: () => time,
    onProblem: (error) => problems.push(String(error)),
  })
  const later = async (user: string, password: string) => {
    time += 1000
    return (await users.verify(user, password)) !== undefined
  }
  await writeFile(file, `joe:${sha('new')}\nsam:$6$salt$${'s'.repeat(86)}\n`)
  for (const password of ['old', 'old']) assert.equal(await later('joe', password), true)
  assert.equal(await later('joe', 'new'), false)
  assert.equal(await later('ann', 'x'), true)
  assert.equal(await users.has('ann'), true)
  assert.equal(problems.length, 1)
  assert.match(problems[0] ?? '', /htpasswd file `.*htpasswd`: line 2: hash of user `sam` must be bcrypt/)
  await rm(file)
  for (const password of ['old', 'old']) assert.equal(await later('joe', password), true)
  assert.equal(problems.length, 2)
  assert.match(problems[1] ?? '', /ENOENT/)
  await writeFile(file, `joe:${sha('newest')}\n`)
  assert.equal(await later('joe', 'newest'), true)
  assert.equal(await later('ann', 'x'), false)
  await writeFile(file, 'joe:broken\n')
  assert.equal(await later('joe', 'newest'), true)
  assert.equal(problems.length, 3)
})

test('openHtpasswd() names a file that it cannot use', async (t) => {
  const file = await fileWith(t, 'joe:plain\n')
  await assert.rejects(openHtpasswd(file), /htpasswd file `.*htpasswd`: line 1: .*`joe`/)
  await assert.rejects(openHtpasswd(`${file}.absent`), { code: 'ENOENT' })
})

test('verify() takes as long for an unknown user as for a wrong password', async (t) => {
  const users = await openHtpasswd(
    await fileWith(t, `x:${sha('x')}\njoe:${bcrypted('a', 8)}\nann:${bcrypted('b', 8)}`),
  )
  const timed = async (user: string) => {
    const start = performance.now()
    await users.verify(user, `wrong ${randomUUID()}`)
    return performance.now() - start
  }
  await timed('joe')
  const { wrong, unknown } = await leastOf(9, async () => ({
    wrong: await timed('joe'),
    unknown: await timed('nobody'),
  }))
  assert.ok(unknown > wrong / 2 && unknown < wrong * 2, `${unknown} ms and ${wrong} ms`)
})

test('verify() checks equal passwords once, and sends others away when too many wait', async (t) => {
  const users = await openHtpasswd(await fileWith(t, `joe:${bcrypted('right', 8)}`))
  const same = await Promise.all(Array.from({ length: 100 }, () => users.verify('joe', 'right')))
  assert.ok(same.every((principal) => principal?.name === 'joe'))
  const guesses = Array.from({ length: 40 }, (_, i) => users.verify('joe', `guess ${i}`))
  const results = await Promise.allSettled(guesses)
  const refused = results.filter((result) => result.status === 'rejected')
  assert.equal(refused.length, 8)
  assert.ok(refused.every(({ reason }) => reason.code === 'unavailable'))
})
