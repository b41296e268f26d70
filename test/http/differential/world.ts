import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import Koa, { type Middleware } from 'koa'
import type { HostAuth, ObjectStore } from '../../../src/host.ts'
import { createAuth } from '../../../src/hosts/auth.ts'
import { answerContinue } from '../../../src/hosts/koa.ts'
import { memoryStorage } from '../../../src/hosts/memory.ts'
import type { ServedRoute } from '../../../src/http/routes.ts'
import type { OptionsInput } from '../../../src/options.ts'
import { cargo } from '../../../src/plugin.ts'
import { canonicalName } from '../../../src/protocol/name.ts'
import { publishBody } from '../../support/crate-file.ts'
import { sha256 } from '../../support/download.ts'
import { serverOf } from '../../support/front.ts'
import type { Ask, RawRequest } from './raw-answer.ts'
import { rawPipeline } from './raw-pipeline.ts'
import * as subjects from './subjects.ts'
import { ADMIN, CANARIES, HIDDEN_NAMES, indexParts, OTHER, OWNER, type Subject } from './subjects.ts'

/** A registry with open and hidden crates, on a port of this machine. */
export interface World {
  readonly origin: string
  readonly mount: string
  /** As clients configure it, `sparse+` in front. */
  readonly index: string
  readonly routes: readonly ServedRoute[]
  /** Entity tags of the hidden crates' index files and crate files, the first one of {@link subjects.HIDDEN}. */
  readonly etags: readonly string[]
  /** What only those may see who read the hidden crates. */
  readonly canaries: readonly string[]
  readonly ask: Ask
  /** Changes with whatever is stored. */
  digest(): Promise<string>
}

/** Who keeps the hidden crates hidden: the plugin's rules, which makes all reads need a login, or the host. */
export type HiddenBy = 'rules' | 'host'

export interface WorldSpec {
  readonly hiddenBy: HiddenBy
  /** Whether the hidden crates are there; default yes. */
  readonly hasHidden?: boolean
  /** What runs before the plugin. */
  readonly before?: Middleware
  /** Takes the place of the host's rules. */
  readonly authorize?: HostAuth['authorize']
}

type Context = { after(done: () => Promise<void>): void }

const PUBLISHERS = { access: ['$all'], publish: [OWNER, OTHER] }

/** The plugin's options. */
export function worldOptions(hiddenBy: HiddenBy): OptionsInput {
  const hidden = { access: [OWNER], publish: [OWNER] }
  const packages =
    hiddenBy === 'host'
      ? { 'acme-*': { ...PUBLISHERS, publish: [OWNER] }, '**': PUBLISHERS }
      : {
          'acme-*': hidden,
          ...Object.fromEntries(subjects.WORDS.map(({ name }) => [name, hidden])),
          '**': PUBLISHERS,
        }
  return { packages, admins: [ADMIN] }
}

/** The host lets nobody remove anything, so that what is asked first does not change what is asked next. */
const hostRules =
  (hiddenBy: HiddenBy): HostAuth['authorize'] =>
  async (who, action, crate) => {
    if (action === 'unpublish') return false
    if (hiddenBy !== 'host' || crate === undefined || who?.name === OWNER) return true
    return action === 'admin' || !HIDDEN_NAMES.has(canonicalName(crate))
  }

function worldAuth(store: ObjectStore, { hiddenBy, authorize = hostRules(hiddenBy) }: WorldSpec): HostAuth {
  return createAuth({
    store,
    authorize,
    isUser: async () => true,
    staticTokens: [
      ...[OWNER, OTHER, ADMIN].map((user) => ({ token: `${user}-token`, user })),
      { token: 'reader-token', user: OWNER, actions: ['read'] },
    ],
  })
}

/** Starts it and publishes the crates; it is stopped at the end of the test. */
export async function startWorld(context: Context, spec: WorldSpec): Promise<World> {
  const storage = memoryStorage()
  const auth = worldAuth(storage, spec)
  const plugin = cargo({ auth, storage }, worldOptions(spec.hiddenBy))
  const koa = new Koa()
  koa.silent = true
  koa.on('error', () => {})
  if (spec.before !== undefined) koa.use(spec.before)
  koa.use(plugin)
  const { server, listener } = serverOf(koa, plugin)
  answerContinue<IncomingMessage, ServerResponse>(server, listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await plugin.close()
  })
  const { port } = server.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`
  const { mount, routes } = plugin
  const ask = rawPipeline(port)
  const place = { origin, mount, index: `sparse+${origin}${mount}/` }
  const secrets = await populate(place, ask, spec.hasHidden ?? true)
  return { ...place, routes, ask, ...secrets, digest: () => digestOf(storage) }
}

/** Publishes the open crate, and the hidden ones; what of these nobody else may see. */
export async function populate(
  place: Pick<World, 'mount' | 'index'>,
  ask: Ask,
  hasHidden: boolean,
): Promise<Pick<World, 'etags' | 'canaries'>> {
  await publish(place, ask, [subjects.OPEN])
  return publish(place, ask, hasHidden ? [subjects.HIDDEN, ...subjects.WORDS] : [])
}

/** The tags and the canaries of what was published. */
async function publish(
  { mount, index }: Pick<World, 'mount' | 'index'>,
  ask: Ask,
  published: readonly Subject[],
): Promise<Pick<World, 'etags' | 'canaries'>> {
  const etags: string[] = []
  const bytes: Buffer[] = []
  const asOwner = async (subject: Subject, request: Omit<RawRequest, 'headers'>) => {
    const headers = { authorization: `${subject.owner}-token` }
    const [answer] = await ask([{ ...request, headers, target: mount + request.target }])
    if (answer?.status !== 200) throw new Error(`${request.target}: ${answer?.status} ${answer?.body}`)
    return answer
  }
  for (const subject of published) {
    for (const file of subjects.subjectFiles(subject, index)) {
      await asOwner(subject, { method: 'PUT', target: '/api/v1/crates/new', body: publishBody(file) })
      bytes.push(file.bytes())
    }
    const { head } = await asOwner(subject, {
      method: 'GET',
      target: `/${indexParts(subject.name).join('/')}`,
    })
    etags.push(/^etag: (.+)$/m.exec(head)?.[1] ?? '')
  }
  const sums = bytes.map((it) => sha256(it))
  return {
    etags: [...etags, ...sums.map((sum) => `"${sum}"`)],
    canaries: [
      ...CANARIES,
      ...etags.map((tag) => tag.replace(/^W\//, '')),
      ...sums,
      // Where the file has words of its own, and not what all gzip files begin with.
      ...bytes.map((it) => it.toString('latin1').slice(40, 64)),
    ],
  }
}

/** The keys and bytes of a store: keys and seals of the registry's own are made when they are first needed, counts of downloads once a minute. */
export async function digestOf(storage: ObjectStore): Promise<string> {
  const hash = createHash('sha256')
  for await (const { key } of storage.list('')) {
    if (/^(secrets|downloads)\//.test(key)) continue
    const object = await storage.get(key)
    hash.update(`${key}\n`)
    if (object !== undefined) hash.update(await buffer(object.body))
  }
  return hash.digest('hex')
}
