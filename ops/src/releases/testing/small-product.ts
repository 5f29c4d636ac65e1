import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

export type SmallProduct = Disposable & {
  /** Everything of it lies below. */
  folder: string
  checkout: string
  hostDir: string
  write(name: string, content: string): void
  git(...args: string[]): string
  /** Commits what is there and tags it. */
  release(tag: string): void
}

const realToolchain = path.resolve(import.meta.dirname, '../../../../toolchain')

/** A git repository with all that a release needs and nothing to download, beside a folder for a host. */
export function smallProduct(): SmallProduct {
  const folder = mkdtempSync(path.join(tmpdir(), 'dam-release-'))
  const checkout = path.join(folder, 'checkout')
  const write = (name: string, content: string): void => {
    const file = path.join(checkout, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, content, { mode: name === 'dam' ? 0o755 : 0o644 })
  }
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=eve', '-c', 'user.email=eve@example.org', ...args], {
      cwd: checkout,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  write('package.json', '{ "name": "small", "version": "1.0.0", "private": true, "license": "Apache-2.0" }\n')
  write('pnpm-workspace.yaml', 'packages:\n  - backend\n')
  write('backend/package.json', '{ "name": "@dam/backend", "version": "1.0.0", "private": true }\n')
  write(
    'pnpm-lock.yaml',
    "lockfileVersion: '9.0'\n\nsettings:\n  autoInstallPeers: true\n  excludeLinksFromLockfile: false\n\nimporters:\n\n  .: {}\n\n  backend: {}\n",
  )
  write(
    'dam',
    '#!/bin/sh\nset -e\n[ "$1" = build ]\nmkdir -p frontend/dist/assets\ncp frontend/index.html frontend/dist/\necho "$1" >frontend/dist/assets/app.js\n',
  )
  write('frontend/index.html', '<!doctype html><title>small</title>\n')
  write('.env.example', '# Port to listen on\n# PORT=8080\n')
  write('backend/src/main.ts', "console.log('small')\n")
  write(
    'backend/migrations/0001-first.sql',
    '-- previous-release-runs: yes (there is no previous release)\n-- up\ncreate table thing ();\n-- down\ndrop table thing;\n',
  )
  for (const name of ['package.json', 'package-lock.json']) {
    mkdirSync(path.join(checkout, 'toolchain'), { recursive: true })
    cpSync(path.join(realToolchain, name), path.join(checkout, 'toolchain', name))
  }
  git('init', '--quiet')
  const release = (tag: string): void => {
    git('add', '--all')
    git('commit', '--quiet', '--allow-empty', '-m', tag)
    git('tag', '-a', tag, '-m', `Release ${tag}`)
  }
  return {
    folder,
    checkout,
    hostDir: path.join(folder, 'host'),
    write,
    git,
    release,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}
