import assert from 'node:assert/strict'
import test from 'node:test'
import type { Action, HostAuth, Principal } from '../../src/host.ts'
import { type OptionsInput, parseOptions } from '../../src/options.ts'
import { type Access, type Caller, createAccess } from '../../src/registry/access.ts'
import { createPackageRules } from '../../src/registry/package-rules.ts'

const ann: Principal = { name: 'ann', groups: ['rust'] }
const bob: Principal = { name: 'bob', groups: [] }
const root: Principal = { name: 'root', groups: [] }

const from = (principal?: Principal): Caller => ({ principal, via: 'http://registry.test' })

function accessOf(options: OptionsInput, authorize: HostAuth['authorize'] = async () => true): Access {
  return createAccess(parseOptions(options), createPackageRules(parseOptions(options)), {
    authenticate: async () => undefined,
    authorize,
  })
}

/** What of a few callers may do something: `-` is nobody, the others stand for their first letters. */
async function whoMay(access: Access, action: Action, crate?: string): Promise<string> {
  let found = ''
  for (const who of [undefined, ann, bob, root]) {
    if (await access.may(from(who), action, crate)) found += who?.name[0] ?? '-'
  }
  return found
}

const RULES: OptionsInput = {
  admins: 'root',
  packages: {
    'Acme-Secret*': { access: 'rust', publish: 'bob' },
    'acme-*': { access: '$authenticated', publish: 'rust bob', unpublish: 'bob' },
    'open-*': { access: '$all', publish: '$all' },
    'guest-*': { access: '$anonymous' },
    'old-*': { access: '@all', publish: '@authenticated' },
    'mine-*': { publish: ['ann'] },
  },
}

test('may() follows the first rule that matches', async () => {
  const cases: readonly (readonly [string, Action, string])[] = [
    ['acme-secret', 'read', 'a'],
    ['acme-secret', 'publish', 'b'],
    ['acme_SECRET-x', 'read', 'a'],
    ['acme-log', 'read', 'abr'],
    ['ACME_log', 'read', 'abr'],
    ['acme-log', 'publish', 'ab'],
    ['acme-log', 'yank', 'abr'],
    ['acme-log', 'owners', 'abr'],
    ['acme-log', 'unpublish', 'br'],
    ['acmelog', 'read', ''],
    ['open-x', 'read', '-abr'],
    ['open-x', 'publish', '-abr'],
    ['open-x', 'unpublish', 'r'],
    ['guest-x', 'read', '-'],
    ['guest-x', 'publish', ''],
    ['old-x', 'read', '-abr'],
    ['old-x', 'publish', 'abr'],
    ['mine-x', 'read', '-abr'],
    ['mine-x', 'publish', 'a'],
    ['other', 'read', ''],
    ['other', 'publish', ''],
    ['other', 'admin', 'r'],
  ]
  const access = accessOf(RULES)
  for (const [crate, action, wanted] of cases) {
    assert.equal(await whoMay(access, action, crate), wanted, `${action} ${crate}`)
  }
})

test('may() without a crate asks whether there is any', async () => {
  const rules = { 'a-*': { access: 'rust', publish: 'bob' }, 'b-*': { access: '$authenticated' } }
  const access = accessOf({ packages: rules })
  assert.equal(await whoMay(access, 'read'), 'abr')
  assert.equal(await whoMay(access, 'publish'), 'b')
  assert.equal(await whoMay(access, 'unpublish'), '')
  assert.equal(await whoMay(access, 'admin'), '')
})

test('may() lets everyone read and users publish by default', async () => {
  const access = accessOf({})
  assert.equal(await whoMay(access, 'read', 'foo'), '-abr')
  assert.equal(await whoMay(access, 'publish', 'foo'), 'abr')
  assert.equal(await whoMay(access, 'unpublish', 'foo'), '')
})

test('may() knows administrators by name and by group', async () => {
  assert.equal(await whoMay(accessOf({ admins: ['root', 'rust'] }), 'admin'), 'ar')
})

test('may() lets a token take rights away, never add any', async () => {
  const access = accessOf(RULES)
  const scoped = (allowed: boolean, who: Principal): Caller =>
    from({ ...who, may: (action, crate) => allowed && action === 'read' && crate !== 'acme-b' })
  assert.equal(await access.may(scoped(true, ann), 'read', 'acme-a'), true)
  assert.equal(await access.may(scoped(true, ann), 'read', 'acme-b'), false)
  assert.equal(await access.may(scoped(true, ann), 'publish', 'acme-a'), false)
  assert.equal(await access.may(scoped(true, bob), 'read', 'acme-secret'), false)
  assert.equal(await access.may(scoped(true, root), 'admin'), false)
  assert.equal(await access.may(scoped(false, root), 'yank', 'acme-a'), false)
})

test('may() needs the consent of the host as well', async () => {
  const access = accessOf(RULES, async (who, _, crate) => who?.name !== 'ann' || crate !== 'acme-a')
  assert.equal(await whoMay(access, 'read', 'acme-a'), 'br')
  assert.equal(await whoMay(access, 'read', 'acme-b'), 'abr')
  assert.equal(await whoMay(access, 'read', 'acme-secret'), 'a')
  assert.equal(
    await whoMay(
      accessOf(RULES, async () => false),
      'admin',
    ),
    '',
  )
})

test('mustRead() answers as if the crate did not exist', async () => {
  const access = accessOf(RULES)
  await access.mustRead(from(ann), 'acme-secret')
  await assert.rejects(access.mustRead(from(bob), 'acme-secret'), {
    code: 'not_found',
    message: 'crate `acme-secret` does not exist',
  })
})

test('mustWrite() tells nobody to log in, and hides what may not be read', async () => {
  const access = accessOf(RULES)
  const cases: readonly (readonly [Principal | undefined, Exclude<Action, 'read'>, string, string])[] = [
    [undefined, 'publish', 'open-x', 'login_required'],
    [undefined, 'yank', 'acme-secret', 'login_required'],
    [ann, 'publish', 'acme-secret', 'forbidden'],
    [ann, 'unpublish', 'acme-a', 'forbidden'],
    [bob, 'unpublish', 'acme-secret', 'not_found'],
    [ann, 'yank', 'guest-x', 'not_found'],
    [bob, 'publish', 'other', 'forbidden'],
  ]
  for (const [who, action, crate, code] of cases) {
    await assert.rejects(access.mustWrite(from(who), action, crate), { code }, `${action} ${crate}`)
  }
  assert.equal(await access.mustWrite(from(ann), 'publish', 'acme-a'), ann)
  await assert.rejects(access.mustWrite(from(ann), 'admin'), { code: 'forbidden' })
})

test('claimant() owns by rule only when the options say so', async () => {
  const flags = async (options: OptionsInput, who: Principal, crate: string) => {
    const { admin, ownsByRule, ...rest } = await accessOf(options).claimant(from(who), who, crate)
    assert.deepEqual(rest, { name: who.name, groups: who.groups })
    return [admin, ownsByRule]
  }
  const byRules: OptionsInput = { ...RULES, ownership: 'rules' }
  assert.deepEqual(await flags(RULES, ann, 'acme-a'), [false, false])
  assert.deepEqual(await flags(byRules, ann, 'acme-a'), [false, true])
  assert.deepEqual(await flags(byRules, ann, 'acme-secret'), [false, false])
  assert.deepEqual(await flags(byRules, root, 'acme-a'), [true, false])
  assert.deepEqual(await flags(RULES, { ...root, may: (action) => action !== 'admin' }, 'acme-a'), [
    false,
    false,
  ])
})
