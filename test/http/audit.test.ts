import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Action } from '../../src/host.ts'
import { createAuth } from '../../src/hosts/auth.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { createToken } from '../../src/hosts/tokens.ts'
import type { OptionsInput } from '../../src/options.ts'
import type { AuditEntry } from '../../src/protocol/audit-entry.ts'
import { encodeChange } from '../../src/protocol/change.ts'
import { changeKey } from '../../src/registry/keys.ts'
import { type Answer, type App, startApp } from '../support/app.ts'
import { publishing, stamp } from '../support/changes.ts'
import { crateFile } from '../support/crate-file.ts'
import { sha256 } from '../support/download.ts'
import { detailOf } from './upstream-app.ts'

const OPTIONS: OptionsInput = {
  admins: ['admins'],
  packages: { '**': { publish: ['ann', 'bob'], unpublish: ['ann', 'bob'] } },
}
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/

interface Page {
  readonly entries: readonly AuditEntry[]
  readonly meta: { readonly next?: string }
}

function ask(app: App, query = '', as: string | undefined = 'root'): Promise<Answer> {
  return app.request(`/-/audit${query}`, as === '' ? {} : { as })
}

async function page(app: App, query = ''): Promise<Page> {
  const answer = await ask(app, query)
  assert.equal(answer.status, 200, answer.text)
  return answer.body as Page
}

/** All pages of a query, the next one as the `Link` header says. */
async function allOf(app: App, query = ''): Promise<readonly AuditEntry[]> {
  const entries: AuditEntry[] = []
  for (let next: string | undefined = query; next !== undefined; ) {
    const answer = await ask(app, next)
    const { entries: some, meta } = answer.body as Page
    entries.push(...some)
    const link = /^<(.*)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1]
    next = link === undefined ? undefined : new URL(link).search
    assert.equal(new URLSearchParams(next).get('after') ?? undefined, meta.next)
  }
  return entries
}

/** A crate with one change of each kind, and another that was removed. */
async function used(t: TestContext): Promise<App> {
  const app = await startApp(t, { options: OPTIONS })
  await app.publish(crateFile('Foo-Bar', '1.0.0'))
  await app.publish(crateFile('gone'), 'bob')
  const path = '/api/v1/crates/Foo-Bar'
  for (const [method, rest] of [
    ['DELETE', '/1.0.0/yank'],
    ['PUT', '/1.0.0/unyank'],
    ['DELETE', '/1.0.0'],
  ] as const)
    assert.equal((await app.request(path + rest, { method, as: 'ann' })).status, 200)
  const body = { users: ['bob'] }
  assert.equal((await app.request(`${path}/owners`, { method: 'PUT', as: 'ann', body })).status, 200)
  assert.equal((await app.request('/api/v1/crates/gone', { method: 'DELETE', as: 'root' })).status, 200)
  return app
}

test('the audit tells administrators of every change: who, when, through what', async (t) => {
  const app = await used(t)
  const { entries, meta } = await page(app)
  assert.deepEqual(meta, {})
  const rest = entries.map((entry) => {
    assert.ok('at' in entry && 'via' in entry)
    const { at, via, ...more } = entry
    assert.match(at, TIME)
    assert.equal(via, app.url)
    return more
  })
  const [first, second] = [crateFile('Foo-Bar', '1.0.0').bytes(), crateFile('gone').bytes()]
  const crate = 'Foo-Bar'
  const of = (bytes: Buffer, owner: string) => ({ cksum: sha256(bytes), size: bytes.length, owners: [owner] })
  assert.deepEqual(rest, [
    { kind: 'publish', crate, version: '1.0.0', by: 'ann', n: 1, detail: of(first, 'ann') },
    { kind: 'yank', crate, version: '1.0.0', by: 'ann', n: 2 },
    { kind: 'unyank', crate, version: '1.0.0', by: 'ann', n: 3 },
    { kind: 'remove', crate, version: '1.0.0', by: 'ann', n: 4 },
    { kind: 'owners', crate, by: 'ann', n: 5, detail: { owners: ['ann', 'bob'] } },
    { kind: 'publish', crate: 'gone', version: '1.0.0', by: 'bob', n: 1, detail: of(second, 'bob') },
    { kind: 'remove', crate: 'gone', by: 'root', n: 2 },
  ])
})

test('for anybody else there is no audit, whatever is asked', async (t) => {
  const app = await used(t)
  for (const as of ['ann', 'bob', 'reader']) {
    for (const query of ['', '?kind=download', '?per_page=0', '?what=ever', '?crate=gone']) {
      const [answer, unknown] = [await ask(app, query, as), await app.request(`/-/audix${query}`, { as })]
      assert.equal(answer.status, 404)
      assert.equal(answer.text, unknown.text.replace('audix', 'audit'))
      const names = ({ headers }: Answer) => [...headers.keys()].filter((name) => name !== 'date')
      assert.deepEqual(names(answer), names(unknown))
    }
  }
  const anonymous = await ask(app, '', '')
  assert.equal(anonymous.status, 401)
  assert.match(anonymous.headers.get('www-authenticate') ?? '', /^Basic realm=/)
  assert.equal((await ask(app, '', 'mallory')).status, 401)
  assert.equal((await ask(app, '', 'root')).status, 200)
})

test("an administrator's token opens the audit only when it is one for administration", async (t) => {
  const storage = memoryStorage()
  const of = (actions?: readonly Action[]) =>
    createToken(storage, { user: 'root', groups: ['admins'], ...(actions && { actions }) })
  const tokens = [await of(), await of(['admin']), await of(['publish', 'yank'])]
  const app = await startApp(t, { options: OPTIONS, host: { storage, auth: createAuth({ store: storage }) } })
  const answers = await Promise.all(tokens.map(({ token }) => ask(app, '', token)))
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 404],
  )
})

test('pages of any size are together the whole, in the order of crate and number', async (t) => {
  const storage = memoryStorage()
  const wanted: string[] = []
  for (const name of ['a', 'ab', 'abc', 'zoo', 'abcd', 'foo_bar'])
    for (let n = 1; n <= 60; n++) {
      const change =
        n === 1 ? publishing(name, '1.0.0') : { kind: 'yank' as const, ...stamp(), vers: '1.0.0' }
      await storage.put(changeKey(name, n), encodeChange(change))
      wanted.push(`${name}/${n}`)
    }
  const app = await startApp(t, { options: OPTIONS, host: { storage } })
  for (const size of [1000, 120, 61, 7]) {
    const entries = await allOf(app, `?per_page=${size}`)
    assert.deepEqual(
      entries.map((it) => ('n' in it ? `${it.crate}/${it.n}` : '')),
      wanted,
      `${size}`,
    )
  }
  assert.equal((await page(app)).entries.length, 100)
  assert.equal((await allOf(app, '?kind=publish&per_page=4')).length, 6)
  assert.equal((await allOf(app, '?crate=FOO-bar&per_page=11')).length, 60)
})

test('a page ends after so much work, and the next goes on from there', async (t) => {
  const storage = memoryStorage()
  await storage.put(changeKey('foo', 1), encodeChange(publishing('foo', '1.0.0')))
  const yank = encodeChange({ kind: 'yank', ...stamp({ by: 'bob' }), vers: '1.0.0' })
  for (let n = 2; n <= 4500; n++) await storage.put(changeKey('foo', n), yank)
  await storage.put(changeKey('zoo', 1), encodeChange(publishing('zoo', '1.0.0')))
  const app = await startApp(t, { options: OPTIONS, host: { storage } })
  const { entries, meta } = await page(app, '?by=ann')
  assert.deepEqual(
    [entries.map(({ crate }) => crate), Number(meta.next?.split('/')[1]) <= 2000],
    [['foo'], true],
  )
  assert.deepEqual(
    (await allOf(app, '?by=ann')).map(({ crate }) => crate),
    ['foo', 'zoo'],
  )
})

test('what is asked for is what is told', async (t) => {
  const storage = memoryStorage()
  for (const [n, day] of [1, 2, 3, 4].entries()) {
    const at = `2026-01-0${day}T12:00:00Z`
    const by = day % 2 ? 'ann' : 'bob'
    const change =
      n === 0 ? publishing('foo', '1.0.0') : { kind: 'owners' as const, owners: ['ann'], ...stamp() }
    await storage.put(changeKey('foo', day), encodeChange({ ...change, at, by }))
  }
  const app = await startApp(t, { options: OPTIONS, host: { storage } })
  const cases: readonly (readonly [string, readonly number[]])[] = [
    ['by=bob', [2, 4]],
    ['by=Bob', []],
    ['kind=owners&by=ann', [3]],
    ['since=2026-01-02T12:00:00Z', [2, 3, 4]],
    ['since=2026-01-02T12:00:01Z', [3, 4]],
    ['until=2026-01-03T12:00:00Z', [1, 2]],
    ['since=2026-01-02&until=2026-01-03', [2]],
    ['since=2026-01-02T13:30:00%2B01:00&until=2026-01-03', []],
    ['crate=foo', [1, 2, 3, 4]],
    ['crate=bar', []],
  ]
  for (const [query, numbers] of cases) {
    const { entries } = await page(app, `?${query}`)
    assert.deepEqual(
      entries.map((it) => ('n' in it ? it.n : 0)),
      numbers,
      query,
    )
  }
})

test('what cannot be asked is refused, and no filter is left out in silence', async (t) => {
  const app = await startApp(t, { options: OPTIONS })
  const time = 'must be a time such as `2027-01-31T12:00:00Z`, or a day such as `2027-01-31`'
  const number = 'must be a number from 1 to 1000'
  const cursor = 'must be the `next` of an answer to the same query'
  const cases: readonly (readonly [string, string])[] = [
    ['since=yesterday', `invalid since \`yesterday\`: ${time}`],
    ['until=2026-02-31', `invalid until \`2026-02-31\`: ${time}`],
    ['per_page=0', `invalid per_page \`0\`: ${number}`],
    ['per_page=1001', `invalid per_page \`1001\`: ${number}`],
    ['after=..%2F..', `invalid after \`../..\`: ${cursor}`],
    ['after=foo/0', `invalid after \`foo/0\`: ${cursor}`],
    ['kind=download&after=foo/1', `invalid after \`foo/1\`: ${cursor}`],
    ['crate=1foo', 'invalid crate name `1foo`: must start with an ASCII letter'],
    ['format=xml', 'invalid format `xml`: must be one of `json`, `ndjson`'],
    [
      'user=ann',
      'invalid parameter `user`: must be one of `crate`, `kind`, `by`, `since`, `until`, `per_page`, `after`, `format`',
    ],
    ['by=ann&by=bob', 'invalid parameter `by`: must be given once'],
  ]
  for (const [query, detail] of cases) {
    const answer = await ask(app, `?${query}`)
    assert.deepEqual([answer.status, detailOf(answer)], [400, detail], query)
  }
  assert.match(detailOf(await ask(app, '?kind=delete')), /^invalid kind `delete`: must be one of `publish`, /)
})

test('scripts get an entry on each line', async (t) => {
  const app = await used(t)
  const { entries } = await page(app)
  const lines = await ask(app, '?format=ndjson')
  const accepted = await app.request('/-/audit', { as: 'root', headers: { accept: 'application/x-ndjson' } })
  for (const { headers, text } of [lines, accepted]) {
    assert.equal(headers.get('content-type'), 'application/x-ndjson')
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.deepEqual(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
      entries,
    )
  }
  const browser = await app.request('/-/audit', { as: 'root', headers: { accept: 'text/html, */*' } })
  assert.equal(browser.headers.get('content-type'), 'application/json; charset=utf-8')
})

test('a damaged change is told of, and does not end the audit', async (t) => {
  const app = await used(t)
  const before = (await page(app, '?crate=foo_bar')).entries
  await app.storage.put(changeKey('foo-bar', 1), Buffer.from('{"schema":2}'))
  const { entries } = await page(app, '?crate=foo_bar&by=ann')
  const problem = 'stored change is damaged: its bytes do not have their checksum'
  assert.deepEqual(entries[0], { kind: 'damaged', crate: 'foo_bar', n: 1, detail: { problem } })
  assert.deepEqual(
    entries.slice(1),
    before.slice(1).map((entry) => ({ ...entry, crate: 'foo_bar' })),
  )
  assert.equal(app.errors.length, 1)
})
