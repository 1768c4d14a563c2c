// A list with a form to add to it, and what each row can do.
import { type FormEvent, type ReactNode, useId } from 'react';

interface Item {
  readonly id: string;
  readonly name: string;
  readonly by: string;
  readonly at: number;
}

interface Props<T extends Item> {
  readonly title: string;
  /** What one is called, as in "New project". */
  readonly thing: string;
  readonly items: readonly T[] | undefined;
  readonly error: { readonly message: string } | null;
  readonly onAdd: (name: string) => void;
  readonly children: (item: T) => ReactNode;
}

export function Panel<T extends Item>({ title, thing, items, error, onAdd, children }: Props<T>) {
  const id = useId();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const name = String(new FormData(form).get('name')).trim();
    if (name) onAdd(name);
    form.reset();
  };
  return (
    <section className="panel" aria-labelledby={id} data-testid={title.toLowerCase()}>
      <div className="panel-head">
        <h2 id={id}>
          {title} <span className="count">{items?.length ?? ''}</span>
        </h2>
      </div>
      <form className="create" onSubmit={submit}>
        <input
          name="name"
          className="entry"
          placeholder={`New ${thing}`}
          aria-label={`Name of the new ${thing}`}
          maxLength={80}
          autoComplete="off"
          required
        />
        <button type="submit" className="secondary small" data-testid="add">
          Add
        </button>
      </form>
      <div className="panel-body" aria-busy={!items && !error}>
        {error && (
          <p className="hollow" role="alert">
            {error.message}
          </p>
        )}
        <ul className="rows" aria-label={title}>
          {items?.map((item) => (
            <li className="row" key={item.id} data-testid="row" data-id={item.id}>
              {item.at > 0 && <span className="flash" key={item.at} aria-hidden="true" />}
              <p className="machine">
                <span className="machine-name" data-testid="name">
                  {item.name}
                </span>
                {item.by && <span className="machine-state">{item.by}</span>}
              </p>
              {children(item)}
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}
