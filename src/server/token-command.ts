import process from 'node:process'
import { type Command, InvalidArgumentError } from 'commander'
import { type SourceOptions, sourcesOf, withSources } from './source-options.ts'
import { createUserToken, listUserTokens, revokeUserTokens } from './token.ts'

interface CreateOptions extends SourceOptions {
  readonly user: string
  readonly name?: string
  readonly groups?: readonly string[]
  readonly crates?: readonly string[]
  readonly actions?: readonly string[]
  readonly expires?: string
}

interface ListOptions extends SourceOptions {
  readonly user?: string
  readonly json?: boolean
}

/** The commands that look after tokens in the storage; a running server goes on serving. */
export function addToken(parent: Command): void {
  const token = parent.command('token').description("users' tokens: create, list, revoke")
  const output = { out: process.stdout, err: process.stderr }

  withSources(token.command('create'))
    .description('make a token and print it; it cannot be shown again')
    .requiredOption('--user <name>', 'whose it is')
    .option('--name <text>', 'what it is for')
    .option('--groups <a,b>', 'groups of the user, for the access rules', list)
    .option('--crates <glob...>', 'only these crates; default: every crate', list)
    .option('--actions <a,b...>', 'only these: read, publish, yank, owners, unpublish, admin', list)
    .option('--expires <30d|date>', 'when it stops working; default: never')
    .action(async (options: CreateOptions) => {
      const { groups = [], crates = [], actions = [] } = options
      await createUserToken(sourcesOf(options), { ...options, groups, crates, actions }, output)
    })

  withSources(token.command('list'))
    .description('list tokens, never the tokens themselves')
    .option('--user <name>', "only this user's")
    .option('--json', 'as JSON')
    .action((options: ListOptions) =>
      listUserTokens(sourcesOf(options), { user: options.user, json: options.json ?? false }, output),
    )

  withSources(token.command('revoke'))
    .description('take tokens back, within a minute on every server')
    .argument('[id...]', 'ids, as `token list` shows them')
    .option('--user <name>', "only this user's; without ids all of them")
    .action((ids: readonly string[], options: ListOptions) =>
      revokeUserTokens(sourcesOf(options), { ids, user: options.user }, output),
    )
}

/** `a,b` and `a b` alike. An empty shell variable must not make a token that may do everything. */
function list(text: string, before: readonly string[] = []): readonly string[] {
  const words = text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
  if (words.length === 0)
    throw new InvalidArgumentError('It must not be empty; for no limit leave the option out.')
  return [...before, ...words]
}
