import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Context, Middleware, Next } from 'koa'
import { CargoError } from '../../src/errors.ts'
import type { HostAuth } from '../../src/host.ts'
import { divergences } from './differential/judge.ts'
import { askAll, casesOf } from './differential/matrix.ts'
import { differences } from './differential/same.ts'
import { ABSENT, ASKERS, HIDDEN, OTHER, OWNER, type Subject } from './differential/subjects.ts'
import { startWorld, type World } from './differential/world.ts'

// The differential proves something only if it finds what is wrong: each of these guards has one hole.

type Hole = (ctx: Context) => boolean

const HOLES: Readonly<Record<string, Hole>> = {
  'escaped letters': ({ req }) => /%6[0-9a-f]/.test(req.url ?? ''),
  'escapes of escapes': ({ req }) => {
    if (!req.url?.includes('%25')) return false
    req.url = req.url.replaceAll('%25', '%')
    return true
  },
  'a path in upper case': ({ req }) => /ACME/.test(req.url ?? ''),
  'two slashes': ({ req }) => collapsed(req, '//'),
  'a step back': ({ req }) => collapsed(req, '/x/../'),
  'an absolute target': ({ req }) => req.url?.startsWith('http://') ?? false,
  'the other root of the index': ({ req }) => /^\/cargo\/index\/ac\//.test(req.url ?? ''),
  'HEAD beside GET': ({ method }) => method === 'HEAD',
  'a conditional request': (ctx) => ctx.get('If-None-Match').includes('"'),
  'a range': (ctx) => ctx.get('Range') !== '',
  'a path in a header': (ctx) => {
    const path = ctx.get('X-Original-URL')
    if (path === '' || ctx.path === path) return false
    ctx.req.url = path
    return true
  },
  'a method in a header': (ctx) => {
    const method = ctx.get('X-HTTP-Method-Override')
    if (method !== 'DELETE') return false
    ctx.method = method
    return true
  },
  'search, which shows all to all': ({ path }) => path === '/cargo/api/v1/crates',
}

for (const [title, isOpen] of Object.entries(HOLES)) {
  test(`a guard with a hole is found: ${title}`, async (t) => {
    const before: Middleware = async (ctx: Context, next: Next) => {
      // The crates are published in peace.
      if (ctx.method !== 'PUT' && isOpen(ctx)) ctx.req.headers.authorization = `${OWNER}-token`
      return next()
    }
    const world = await startWorld(t, { hiddenBy: 'rules', before })
    const methods = title.startsWith('HEAD') ? ['GET', 'HEAD'] : ['GET']
    assert.notDeepEqual(divergences(world, await ask(world, [HIDDEN], methods)), [])
  })
}

/** What tells only that there is something to hide. */
const TELLTALES: Readonly<Record<string, HostAuth['authorize']>> = {
  'the hidden crate is forbidden, not absent': async (who, action, crate) => {
    if (crate !== HIDDEN.name || who?.name === OWNER) return true
    throw new CargoError('forbidden', `${action} is not for you`)
  },
  'the hidden crate is there, without a word of it': async (who, action, crate) => {
    if (crate !== HIDDEN.name || who?.name === OWNER || action !== 'read') return true
    throw new CargoError('not_found', 'nothing is here')
  },
}

for (const [title, authorize] of Object.entries(TELLTALES)) {
  test(`an answer that tells of what is hidden is found: ${title}`, async (t) => {
    const world = await startWorld(t, { hiddenBy: 'host', authorize })
    assert.notDeepEqual(differences(await ask(world, [HIDDEN, ABSENT], ['GET']), HIDDEN, ABSENT), [])
  })
}

test('without a hole nothing is found', async (t) => {
  const world = await startWorld(t, { hiddenBy: 'rules', before: (_, next) => next() })
  const asked = await ask(world, [HIDDEN, ABSENT], ['GET'])
  assert.deepEqual([divergences(world, asked), differences(asked, HIDDEN, ABSENT)], [[], []])
})

async function ask(world: World, subjects: readonly Subject[], methods: readonly string[]) {
  const askers = ASKERS.filter(({ name }) => name === OTHER)
  return askAll(world, casesOf(world, { subjects, askers, methods }))
}

function collapsed(req: Context['req'], what: string): boolean {
  const found = req.url?.includes(what, 1) ?? false
  if (found) req.url = req.url?.replace(what, '/')
  return found
}
