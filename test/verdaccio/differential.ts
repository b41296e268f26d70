import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fsStorage } from '../../src/hosts/fs.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { cargo } from '../../src/plugin.ts'
import { divergences, shown } from '../http/differential/judge.ts'
import { type Asked, askAll, casesOf } from '../http/differential/matrix.ts'
import type { Ask } from '../http/differential/raw-answer.ts'
import { rawPipeline } from '../http/differential/raw-pipeline.ts'
import { differences } from '../http/differential/same.ts'
import { ABSENT, ADMIN, ASKERS, HIDDEN, OTHER, OWNER, WORDS } from '../http/differential/subjects.ts'
import { digestOf, populate, type World } from '../http/differential/world.ts'
import { startVerdaccio, type Verdaccio } from './host.ts'
import type { Installation } from './install.ts'
import { requestToken, signUp } from './npm.ts'

const TOLD = 10
const HIDING = { access: OWNER, publish: OWNER }
const RULE = { access: '$all', publish: '$authenticated' }

/** Through a whole Verdaccio no spelling, method or header gets more than the plain request, and absence looks like hiding. */
export async function hiddenIsHidden(t: TestContext, installed: Installation): Promise<void> {
  const verdaccio = await startVerdaccio(t, installed, {
    cargo: { admins: [ADMIN] },
    config: {
      // Otherwise version 9 never answers a path with `..`, before it comes to us.
      server: { dotfiles: 'allow' },
      // Without it npm's side checks a password with each request.
      security: { api: { jwt: { sign: { expiresIn: '1d' } } } },
      packages: {
        'cargo/acme-*': HIDING,
        ...Object.fromEntries(WORDS.map(({ name }) => [`cargo/${name}`, HIDING])),
        'cargo/*': RULE,
        '**': RULE,
      },
    },
  })
  const world = await worldIn(verdaccio)
  const before = await world.digest()
  // To version 6.5 a read-only token is any other.
  const askers = installed.version === '6.5.0' ? ASKERS.filter(({ name }) => name !== 'reader') : ASKERS
  const strangers = ASKERS.filter(({ name }) => [OTHER, 'nobody'].includes(name))
  const asked = await askAll(world, [
    ...casesOf(world, { subjects: [HIDDEN], askers, methods: ['GET', 'HEAD', 'PUT', 'DELETE'] }),
    ...casesOf(world, { subjects: [ABSENT], askers: strangers, methods: ['GET', 'HEAD', 'DELETE'] }),
  ])
  // What is not below the mount is npm's side, which repeats the path it was asked for, and wants logins of its own.
  const isOurs = ({ request }: Asked) => new RegExp(`^${world.mount}($|[/?])`).test(request.target)
  const [ours, npms] = [asked.filter(isOurs), asked.filter((one) => !isOurs(one))]
  assert.ok(npms.every(({ answer }) => answer.status >= 300 && shown(world, answer) === undefined))
  const problems = divergences(world, ours)
  assert.deepEqual(problems.slice(0, TOLD), [], `${problems.length} in all`)
  const read = ours.filter(({ asker, answer }) => asker.name === OWNER && shown(world, answer) !== undefined)
  assert.ok(read.length > 10, `${read.length} were read by the owner`)
  const byStrangers = ours.filter(({ asker }) => strangers.includes(asker))
  const unlike = differences(byStrangers, HIDDEN, ABSENT)
  assert.deepEqual(unlike.slice(0, TOLD), [], `${unlike.length} in all`)
  assert.equal(await world.digest(), before, 'a refused request changed what is stored')
}

/** The crates of the matrix in a Verdaccio, which has tokens of its own making for the people in it. */
async function worldIn({ origin, url, index, folder }: Verdaccio): Promise<World> {
  const tokens = new Map<string, string>()
  for (const user of [OWNER, OTHER, ADMIN]) tokens.set(`${user}-token`, await signUp(origin, user))
  const owner = { name: OWNER, token: tokens.get(`${OWNER}-token`) ?? '' }
  tokens.set('reader-token', (await requestToken(origin, owner, { readonly: true })).token)
  const raw = rawPipeline(Number(new URL(origin).port))
  const ask: Ask = async (requests) => {
    const answers = await raw(
      requests.map((request) => {
        const { authorization, ...headers } = request.headers
        const credential = authorization && (tokens.get(authorization) ?? authorization)
        return { ...request, headers: { ...headers, ...(credential && { authorization: credential }) } }
      }),
    )
    // Version 9 counts down.
    return answers.map((answer) => ({ ...answer, head: answer.head.replaceAll(/^x-ratelimit-.*\n?/gm, '') }))
  }
  const mount = new URL(url).pathname
  const place = { origin, mount, index }
  const secrets = await populate(place, ask, true)
  const { routes } = cargo({ auth: nobody, storage: memoryStorage() }, { mount })
  const storage = fsStorage(join(folder, 'storage', '.cargo'))
  return { ...place, routes, ask, ...secrets, digest: () => digestOf(storage) }
}

/** For a plugin that is asked for its routes only. */
const nobody = { authenticate: async () => undefined, authorize: async () => false }
