import { useId, type ReactNode } from 'react'
import styles from './segments.module.css'

/** One of a few choices, side by side. */
export function Segments<T extends string>({
  labelledBy,
  value,
  options,
  onChange,
}: {
  labelledBy: string
  value: T
  options: readonly (readonly [T, string])[]
  onChange: (value: T) => void
}): ReactNode {
  const name = useId()
  return (
    <div role="radiogroup" aria-labelledby={labelledBy} className={styles.segments}>
      {options.map(([option, label]) => (
        <label key={option} className={styles.segment}>
          <input
            className="visually-hidden"
            type="radio"
            name={name}
            checked={value === option}
            onChange={() => onChange(option)}
          />
          {label}
        </label>
      ))}
    </div>
  )
}
