import process from 'node:process'
import type { Command } from 'commander'
import { type SourceOptions, sourcesOf, withSources } from './source-options.ts'
import { listDead, redeliverDead } from './webhooks.ts'

interface ListOptions extends SourceOptions {
  readonly json?: boolean
}

interface RedeliverOptions extends SourceOptions {
  readonly all?: boolean
}

/** The commands that look after events that a webhook never took; a running server goes on serving. */
export function addWebhooks(parent: Command): void {
  const webhooks = parent.command('webhooks').description('events that a webhook never took: list, redeliver')
  const output = { out: process.stdout, err: process.stderr }

  withSources(webhooks.command('list-dead'))
    .description('list the events that were given up, and why')
    .option('--json', 'as JSON')
    .action((options: ListOptions) => listDead(sourcesOf(options), { json: options.json ?? false }, output))

  withSources(webhooks.command('redeliver'))
    .description('send events again; a running server does so within seconds')
    .argument('[id...]', 'ids, as `webhooks list-dead` shows them')
    .option('--all', 'all of them')
    .action((ids: readonly string[], options: RedeliverOptions) =>
      redeliverDead(sourcesOf(options), { ids, all: options.all ?? false }, output),
    )
}
