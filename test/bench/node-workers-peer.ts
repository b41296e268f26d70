// Two workers of `node:cluster`, each of them the bare server of `node-peer.ts`: `node node-workers-peer.ts FOLDER PORT`.
import cluster from 'node:cluster'
import { join } from 'node:path'

const WORKERS = 2

cluster.setupPrimary({ exec: join(import.meta.dirname, 'node-peer.ts'), args: process.argv.slice(2) })
for (let started = 0; started < WORKERS; started++) cluster.fork()
