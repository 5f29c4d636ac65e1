import type { Forge } from './forge.ts'
import { githubForge } from './github-approvals.ts'
import { gitlabForge } from './gitlab-approvals.ts'

export type ForgeSettings = {
  githubToken?: string | undefined
  githubApiUrl?: string | undefined
  gitlabToken?: string | undefined
  gitlabApiUrl?: string | undefined
  /** `owner/name`; else it is read from the remote. */
  repository?: string | undefined
}

/** The forge whose token is there, for the repository that was named or that `origin` points to; null when nobody can be asked. */
export function forgeOf(settings: ForgeSettings, remote: string | null): Forge | null {
  const repository = settings.repository ?? repositoryOfRemote(remote)
  if (!repository) return null
  if (settings.githubToken) {
    const apiUrl = settings.githubApiUrl ?? 'https://api.github.com'
    return githubForge({ apiUrl, repository, token: settings.githubToken })
  }
  if (settings.gitlabToken) {
    const apiUrl = settings.gitlabApiUrl ?? 'https://gitlab.com/api/v4'
    return gitlabForge({ apiUrl, project: repository, token: settings.gitlabToken })
  }
  return null
}

/** `git@host:owner/name.git`, `ssh://git@host/owner/name`, `https://host/owner/name.git`; null for a path on this machine. */
export function repositoryOfRemote(remote: string | null): string | null {
  const address = (remote ?? '').replace(/\/$/, '').replace(/\.git$/, '')
  const path = /^(?:[\w.-]+@[\w.-]+:|(?:https?|ssh|git):\/\/[^/]+\/)(.+)$/.exec(address)?.[1]
  return path && path.includes('/') && path.split('/').every((part) => /^[\w.-]+$/.test(part)) ? path : null
}
