#!/usr/bin/env node
// Made by ./dam export haproxy from policy 75c211816a8cb502. Change the policy or an overlay, not this file;
// ./dam export haproxy --check says when it is behind.
// switch.mjs bake green blue    93 % of the sessions to green, the rest stay on blue
// switch.mjs only green blue    everything to green; blue stays warm
// A rollback is: switch.mjs only blue green
import { renameSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const [mode, fresh, old] = process.argv.slice(2)
const socket = process.env.HAPROXY_SOCKET ?? '/run/haproxy/dam.sock'
const state = process.env.HAPROXY_STATE ?? '/run/haproxy/dam.state'
if (!['bake', 'only'].includes(mode) || !['blue green', 'green blue'].includes(`${fresh} ${old}`)) {
  console.error('Usage: switch.mjs bake|only <new: blue|green> <old: blue|green>')
  process.exit(2)
}

const ask = (command) =>
  new Promise((resolve, reject) => {
    let answer = ''
    const connection = connect(socket, () => connection.write(`${command}\n`))
    connection.on('data', (chunk) => (answer += chunk)).on('end', () => resolve(answer)).on('error', reject)
  })
const say = async (command) => {
  const answer = (await ask(command)).trim()
  if (answer !== '') throw new Error(`HAProxy on "${command}": ${answer}`)
}
const isUp = async () => (await ask('show stat')).split('\n').some((line) => line.startsWith(`dam,${fresh},`) && line.split(',')[17] === 'UP')

await say(`set server dam/${fresh} state ready`)
for (let tries = 0; !(await isUp()); tries++) {
  if (tries === 60) {
    await say(`set server dam/${fresh} state maint`)
    console.error(`${fresh} does not become ready; nothing was switched`)
    process.exit(1)
  }
  await sleep(1_000)
}
if (mode === 'bake') {
  await say(`set server dam/${fresh} weight 93`)
  await say(`set server dam/${old} weight 7`)
} else {
  await say(`set server dam/${fresh} weight 100`)
  await say(`set server dam/${old} state maint`)
  await say(`set server dam/${old} weight 100`)
}
writeFileSync(`${state}.new`, await ask('show servers state'))
renameSync(`${state}.new`, state)
