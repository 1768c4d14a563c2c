// The form that adds an item to a list.
import { type FormEvent, useId, useRef } from 'react';
import { create, type ListName } from '../api';
import { useChange } from '../queries';
import { Icon } from './Icon';

interface Props {
  list: ListName;
  /** What one of them is called: `project`. */
  thing: string;
}

/** One field and a button; it stays ready for the next name. */
export function CreateForm({ list, thing }: Props) {
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const add = useChange(list, (name: string) => create(list, { name }));

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const name = field.current?.value.trim();
    if (name && !add.isPending) add.mutate(name, { onSuccess: () => form.reset() });
  };

  return (
    <form className="create" onSubmit={submit} data-testid={`${thing}-create`}>
      <label htmlFor={id} className="sr-only">
        Name of the new {thing}
      </label>
      <Icon name="plus" />
      <input
        ref={field}
        id={id}
        className="entry"
        placeholder={`New ${thing}`}
        maxLength={80}
        autoComplete="off"
        required
        data-testid={`${thing}-name`}
      />
      <button type="submit" className="secondary small" aria-disabled={add.isPending} data-testid={`${thing}-add`}>
        Add
      </button>
    </form>
  );
}
