import { DISGUISES, smuggled } from './disguises.ts'
import type { RawAnswer, RawRequest } from './raw-answer.ts'
import { COMMON_SPELLINGS, PLAIN, SPELLINGS, type Spelling } from './spellings.ts'
import { ADMIN, type Asker, OTHER, OWNER, type Subject } from './subjects.ts'
import { type Target, targetsOf } from './targets.ts'
import type { World } from './world.ts'

export const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS'] as const

/** One request, and the plain one that it must not get more than. */
export interface Case {
  readonly asker: Asker
  readonly subject: Subject
  readonly title: string
  readonly request: RawRequest
  /** What is the same for all spellings of this request. */
  readonly group: string
}

/** A case with its answer. */
export interface Asked extends Case {
  readonly answer: RawAnswer
}

export interface MatrixSpec {
  readonly subjects: readonly Subject[]
  readonly askers: readonly Asker[]
  readonly methods?: readonly string[]
  readonly spellings?: readonly Spelling[]
  /** Whether headers are tried too; default yes. */
  readonly disguised?: boolean
  /** Which of the paths; default all. */
  readonly wants?: (target: Target, subject: Subject) => boolean
  /** Whether those who may change the crate do; default: only those who may not try to. */
  readonly changes?: boolean
}

/** Every combination: paths that name no crate are asked for with the first subject only. */
export function casesOf(world: World, spec: MatrixSpec): readonly Case[] {
  const { methods = METHODS, spellings = SPELLINGS, disguised = true, wants = () => true } = spec
  const cases: Case[] = []
  for (const [nth, subject] of spec.subjects.entries()) {
    const targets = targetsOf(world.routes, subject, world.index).filter(
      (target) => (target.namesCrate || nth === 0) && wants(target, subject),
    )
    for (const asker of spec.askers) {
      for (const target of targets) {
        for (const method of methods) {
          if (isChange(asker, subject, method) !== (spec.changes ?? false)) continue
          if (target.bodies[method] !== undefined && mayCreate(asker, subject, target)) continue
          // What is done nowhere needs no more than the common ones to be done nowhere.
          const isServed = ['GET', 'HEAD'].includes(method) || target.methods.has(method)
          const tried = isServed ? spellings : spellings.filter((it) => COMMON_SPELLINGS.includes(it))
          cases.push(...variants(world, { asker, subject, target, method }, tried, disguised && isServed))
        }
      }
    }
  }
  return cases
}

/** Asks everything at once. */
export async function askAll(world: World, cases: readonly Case[]): Promise<readonly Asked[]> {
  const answers = await world.ask(cases.map(({ request }) => request))
  return cases.map((one, nth) => {
    const answer = answers[nth]
    if (answer === undefined) throw new Error(`no answer to ${one.request.method} ${one.request.target}`)
    return { ...one, answer }
  })
}

interface Plain {
  readonly asker: Asker
  readonly subject: Subject
  readonly target: Target
  readonly method: string
}

function variants(
  world: World,
  { asker, subject, target, method }: Plain,
  spellings: readonly Spelling[],
  disguised: boolean,
): readonly Case[] {
  const { mount, etags } = world
  const place = { mount, origin: world.origin, name: subject.name }
  const path = mount + target.path
  const body = target.bodies[method]
  const group = `${asker.name} ${method} ${path}`
  const made = (title: string, written: string, headers: Readonly<Record<string, string>> = {}): Case => ({
    ...{ asker, subject, title, group },
    request: {
      method,
      target: written,
      headers: {
        ...(asker.credential !== undefined && { authorization: asker.credential }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body && { body }),
    },
  })
  const written = [PLAIN, ...spellings].flatMap((spelling) => {
    const text = spelling.write(path, place)
    return text === undefined ? [] : [made(spelling.title, text)]
  })
  if (!disguised) return written
  const masked = DISGUISES.filter(({ methods }) => methods?.includes(method) ?? true).map((it) =>
    made(it.title, path, it.headers(path, { ...place, etags })),
  )
  if (method !== 'GET') return [...written, ...masked]
  const elsewhere = `${asker.name} GET ${mount}/me, for ${path}`
  return [
    ...written,
    ...masked,
    { ...made(PLAIN.title, `${mount}/me`), group: elsewhere },
    { ...made('the path in a header', `${mount}/me`, smuggled(path)), group: elsewhere },
  ]
}

/** Requests that succeed and change something; they are asked apart, after the others. */
function isChange(asker: Asker, subject: Subject, method: string): boolean {
  return !['GET', 'HEAD', 'OPTIONS'].includes(method) && [subject.owner, ADMIN].includes(asker.name)
}

/** A publish of a name that is free would succeed once. */
function mayCreate(asker: Asker, { isThere, isHidden }: Subject, { path }: Target): boolean {
  return !isThere && path.endsWith('/new') && (asker.name === OWNER || (asker.name === OTHER && !isHidden))
}
