// Methods of the class that wasm exports which would only pass through it: they are implemented in the page. For the shipped builds, whose glue
// ends with a call of `equip`.

/** What the application asks for, as words of `_notify` in `bindings.js`. */
const WISHES = { pause: 6, resume: 7, start: 11, stop: 12, reconnect: 13, forget: 14, setUser: 17 };
const FOLLOW = 15;
const LEAD = 16;
const FRAME = 1;
const OPENED = 2;

/** Functions of the application that are no subscribers, by the method that keeps them. The numbers are those of `driver.rs`. */
const CALLS = { onStatus: -1, onResync: -2, onTabs: -3 };

/** Gives the class these methods. */
export const equip = ({ prototype }) => {
  for (const name in WISHES) {
    prototype[name] = function (text) {
      this.page._command(WISHES[name], text);
    };
  }
  for (const name in CALLS) {
    prototype[name] = function (call) {
      this.page._register(CALLS[name], call);
    };
  }
  prototype.lead = function (lead) {
    this.page._command(lead ? LEAD : FOLLOW);
  };
  prototype.hear = function (ticket, frame) {
    const { page } = this;
    page._notify(OPENED, ticket);
    page._notify(FRAME, ticket, 0, 0, frame);
  };
};
