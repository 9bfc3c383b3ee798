// Every word that the pages show, in Russian and English, and nothing else knows a word.

const TEXTS = {
  ru: {
    language_name: "Русский",
    title: "Контакт-центр",
    skip_to_agents: "К операторам",
    logout: "Выйти",
    token: "Ключ доступа",
    token_wrong: "Такого ключа нет. Проверьте, что он скопирован целиком.",
    token_hint: "Ключ лежит в access.json каталога состояния, поле http.token.",
    enter: "Войти",
    close: "Закрыть",
    flows: "Сценарии",
    flows_title: "Сценарии звонков",
    flows_none: "Сценариев нет.",
    flows_lines: "Линии: {lines}",
    flows_no_line: "Ни одна линия его не использует",
    flows_now: "Сейчас в меню и очередях: {n}",
    flows_stale: "Нет связи с сервером: рисунок устарел.",
    back: "К контакт-центру",

    asterisk_connected: "Asterisk на связи",
    asterisk_unknown: "Asterisk: нет данных",
    asterisk_lost: "Нет связи с Asterisk",
    asterisk_lost_node: "Нет связи с Asterisk {node}",
    connecting: "Подключаюсь…",
    stale: "Данные устарели: нет связи с сервером с {time}.",
    stale_never: "Нет связи с сервером.",
    retry_in: "Повторю через {seconds} с",
    retry_now: "Подключаюсь снова…",
    asterisk_alarm: "Нет связи с Asterisk с {time}: разговоры продолжаются, новые звонки операторам не предлагаются. Что проверить, скажет ccserver doctor.",
    asterisk_never: "Asterisk ещё не подключался. Что проверить, скажет ccserver doctor.",

    lines: "Линии",
    trunks: "Транки",
    trunk_usable: "в работе",
    trunk_down: "не работает с {time}",
    trunk_refused: "отказано, все каналы заняты: {n}",
    trunk_misdialled: "на чужие номера: {n}",
    trunk_calls: "Входящих {in}, исходящих {out}, всего каналов {of}",
    alarms: "Тревоги",
    queues: "Очереди",
    agents: "Операторы",
    agents_in: "Операторы на смене",
    agents_out: "Операторы не на смене",
    filter: "Показать только состояние",
    contacts: "Сейчас на линии",
    finished: "Завершены",
    player: "Запись разговора",

    figure_waiting: "ждут оператора",
    figure_longest: "ждут дольше всех",
    figure_flow: "в голосовом меню",
    figure_talking: "говорят",
    figure_ready: "операторов готовы",
    of_logged_in: "из {n}",

    line_flow: "в меню",
    line_waiting: "ждут",
    line_talking: "говорят",
    line_dialling: "дозваниваются",
    queue_waiting: { one: "ждёт", few: "ждут", many: "ждут" },
    queue_longest: "дольше всех",
    queue_talking: { one: "говорит", few: "говорят", many: "говорят" },
    queue_ready: "готовы {ready} из {in}",
    queue_nobody: "никто не вошёл",
    queue_nobody_ready: "готовых нет, на смене {in}",

    state: {
      logged_out: "Не на смене",
      not_ready: "Не готов",
      ready: "Готов",
      reserved: "Вызываем",
      ringing: "Звонит",
      dialling: "Дозванивается",
      talking: "Говорит",
      wrap_up: "Обработка",
      busy: "Свой разговор",
      unreachable: "Нет связи",
    },
    states: {
      not_ready: "Не готовы",
      ready: "Готовы",
      ringing: "Звонит",
      dialling: "Дозваниваются",
      talking: "Говорят",
      wrap_up: "Обработка",
      busy: "Свой разговор",
      unreachable: "Нет связи",
    },
    reason: {
      break: "перерыв",
      lunch: "обед",
      training: "обучение",
      meeting: "совещание",
      other: "другое",
      rona: "не взял трубку",
      refused: "отклонил звонок",
      phone_busy: "телефон был занят",
    },
    out_count: "Не на смене: {n}",
    agents_nobody: "Никто не вошёл. Оператору: наберите *11 со своего телефона. Или нажмите на имя ниже.",
    agents_none: "Операторов нет. Добавьте их в ccserver.toml, раздел [[operators]].",
    queues_none: "Очередей нет. Добавьте их в ccserver.toml, раздел [[queues]].",
    lines_none: "Линий нет. Добавьте их в ccserver.toml, раздел [[lines]].",
    contacts_none: "Звонков сейчас нет. Позвоните на {line}, и звонок появится здесь.",
    contacts_none_no_line: "Звонков сейчас нет.",
    finished_none: "Здесь будут последние завершённые звонки: чем кончились, сколько ждали и говорили, и их записи.",
    finished_unread: "Завершённые звонки пока не прочитаны.",

    contact_flow: "В меню",
    contact_waiting: "Ждёт",
    contact_scheduled: "Перезвоним позже",
    contact_briefing: "Обратный звонок",
    contact_owed: "Ждёт звонка",
    contact_offered: "Звонит",
    contact_dialling: "Дозвон",
    contact_summoning: "Звонок оператору",
    contact_telling: "Не дозвонился",
    contact_forwarding: "Соединяется",
    is_outbound: "исходящий",
    is_internal: "внутренний",
    by: "({who})",
    by_supervisor: "супервизор",
    contact_talking: "Говорит",
    on_hold: "На удержании",
    consult_calling: "зовёт: {who}",
    consult_private: "советуется: {who}",
    consult_joined: "втроём: {who}",
    consult_leaving: "отпускает: {who}",
    contact_closing: "Завершается",
    place: "№ {n}",
    hidden_number: "Номер скрыт",
    more: "Ещё {n}",

    outcome: {
      answered: "Отвечен",
      abandoned: "Не дождался",
      overflowed: "Никто не ответил вовремя",
      left_by_key: "Ушёл из очереди по клавише",
      voicemail: "Голосовая почта",
      flow_completed: "Обслужен меню",
      flow_abandoned: "Повесил трубку в меню",
      refused: "Отказано без ответа",
      failed: "Сбой",
      busy: "Занято",
      no_answer: "Не отвечает",
      declined: "Отклонил вызов",
      no_such_number: "Нет такого номера",
      no_trunk: "Ни один транк не принял",
      blocked: "Звонок не разрешён",
      cancelled: "Отменён",
      merged: "Перезвонил сам",
      expired: "Обратный звонок не состоялся",
    },
    wait: "ожидание {t}",
    dial: "дозвон {t}",
    talk: "разговор {t}",
    hold: "удержание {t}",
    listen: "Слушать запись: {who}",
    recording_broken: "Запись не воспроизводится.",

    fact_extension: "Номер",
    fact_queues: "Очереди",
    fact_phone: "Телефон",
    phone_registered: "зарегистрирован",
    phone_lost: "не зарегистрирован",
    fact_contact: "Звонок",
    supervise_as: "Слушает",
    mode_listen: "Слушать",
    mode_whisper: "Подсказать",
    mode_barge: "Вмешаться",
    mode_take_over: "Забрать разговор",
    supervision_listen: "Разговор слушает {who}.",
    supervision_whisper: "{who} подсказывает оператору.",
    supervision_barge: "{who} говорит с обоими.",
    supervision_take_over: "{who} забирает разговор.",
    recording_is_on: "Разговор записывается.",
    recording_is_paused: "Запись на паузе.",
    recording_is_off: "Разговор не записывается.",
    recording_pause: "Пауза",
    recording_resume: "Продолжить",
    recording_start: "Записать",
    make_ready: "Готов",
    make_not_ready: "Не готов",
    make_logged_out: "Завершить смену",
    own_reason: "Другая причина",
    set: "Поставить",
    at_work: "Сейчас занят звонком: новое состояние наступит после него.",
    no_phone: "Телефон не зарегистрирован: звонков не будет, пока он не появится.",
    refused: "Отказано: {why}",
    not_sent: "Не отправлено: нет связи с сервером.",
    agent_gone: "Этого оператора больше нет в настройках.",
  },

  en: {
    language_name: "English",
    title: "Contact centre",
    skip_to_agents: "To the agents",
    logout: "Log out",
    token: "Access token",
    token_wrong: "This token is not known. Check that it was copied whole.",
    token_hint: "The token is in access.json in the state directory, field http.token.",
    enter: "Log in",
    close: "Close",
    flows: "Flows",
    flows_title: "Call flows",
    flows_none: "There are no flows.",
    flows_lines: "Lines: {lines}",
    flows_no_line: "No line uses it",
    flows_now: "In menus and queues now: {n}",
    flows_stale: "No connection to the server: the drawing is old.",
    back: "To the contact centre",

    asterisk_connected: "Asterisk connected",
    asterisk_unknown: "Asterisk: not known",
    asterisk_lost: "Asterisk not connected",
    asterisk_lost_node: "Asterisk {node} not connected",
    connecting: "Connecting…",
    stale: "Out of date: no connection to the server since {time}.",
    stale_never: "No connection to the server.",
    retry_in: "Trying again in {seconds} s",
    retry_now: "Connecting again…",
    asterisk_alarm: "No connection to Asterisk since {time}: talks go on, new calls are not offered to agents. ccserver doctor says what to check.",
    asterisk_never: "Asterisk has not been connected yet. ccserver doctor says what to check.",

    lines: "Lines",
    trunks: "Trunks",
    trunk_usable: "in use",
    trunk_down: "down since {time}",
    trunk_refused: "refused, all channels taken: {n}",
    trunk_misdialled: "for numbers not ours: {n}",
    trunk_calls: "{in} inbound, {out} outbound, {of} channels in all",
    alarms: "Alarms",
    queues: "Queues",
    agents: "Agents",
    agents_in: "Agents on duty",
    agents_out: "Agents off duty",
    filter: "Show only one state",
    contacts: "On the line now",
    finished: "Finished",
    player: "Recording",

    figure_waiting: "waiting for an agent",
    figure_longest: "longest wait",
    figure_flow: "in the voice menu",
    figure_talking: "talking",
    figure_ready: "agents ready",
    of_logged_in: "of {n}",

    line_flow: "in menu",
    line_waiting: "waiting",
    line_talking: "talking",
    line_dialling: "dialling",
    queue_waiting: { one: "waiting", other: "waiting" },
    queue_longest: "longest",
    queue_talking: { one: "talking", other: "talking" },
    queue_ready: "{ready} of {in} ready",
    queue_nobody: "nobody logged in",
    queue_nobody_ready: "nobody ready, {in} on duty",

    state: {
      logged_out: "Logged out",
      not_ready: "Not ready",
      ready: "Ready",
      reserved: "Calling",
      ringing: "Ringing",
      dialling: "Dialling",
      talking: "Talking",
      wrap_up: "Wrap-up",
      busy: "Own call",
      unreachable: "Unreachable",
    },
    states: {
      not_ready: "Not ready",
      ready: "Ready",
      ringing: "Ringing",
      dialling: "Dialling",
      talking: "Talking",
      wrap_up: "Wrap-up",
      busy: "Own call",
      unreachable: "Unreachable",
    },
    reason: {
      break: "break",
      lunch: "lunch",
      training: "training",
      meeting: "meeting",
      other: "other",
      rona: "did not pick up",
      refused: "declined a call",
      phone_busy: "phone was busy",
    },
    out_count: "Logged out: {n}",
    agents_nobody: "Nobody has logged in. Agents: dial *11 from your phone. Or press a name below.",
    agents_none: "There are no agents. Add them to ccserver.toml, section [[operators]].",
    queues_none: "There are no queues. Add them to ccserver.toml, section [[queues]].",
    lines_none: "There are no lines. Add them to ccserver.toml, section [[lines]].",
    contacts_none: "No calls now. Call {line} and the call appears here.",
    contacts_none_no_line: "No calls now.",
    finished_none: "The last finished calls will be here: how they ended, how long they waited and talked, and their recordings.",
    finished_unread: "Finished calls have not been read yet.",

    contact_flow: "In menu",
    contact_waiting: "Waiting",
    contact_scheduled: "Called back later",
    contact_briefing: "Callback",
    contact_owed: "To be called back",
    contact_offered: "Ringing",
    contact_dialling: "Dialling",
    contact_summoning: "Calling the agent",
    contact_telling: "Not reached",
    contact_forwarding: "Being connected",
    is_outbound: "outbound",
    is_internal: "internal",
    by: "(by {who})",
    by_supervisor: "supervisor",
    contact_talking: "Talking",
    on_hold: "On hold",
    consult_calling: "calling {who}",
    consult_private: "consulting {who}",
    consult_joined: "with {who}",
    consult_leaving: "letting {who} go",
    contact_closing: "Ending",
    place: "no. {n}",
    hidden_number: "Number withheld",
    more: "{n} more",

    outcome: {
      answered: "Answered",
      abandoned: "Abandoned",
      overflowed: "Nobody came in time",
      left_by_key: "Left the queue by a key",
      voicemail: "Voicemail",
      flow_completed: "Served by the menu",
      flow_abandoned: "Hung up in the menu",
      refused: "Refused unanswered",
      failed: "Failed",
      busy: "Busy",
      no_answer: "No answer",
      declined: "Declined",
      no_such_number: "No such number",
      no_trunk: "No trunk took it",
      blocked: "Call not allowed",
      cancelled: "Cancelled",
      merged: "Called again himself",
      expired: "Callback never made",
    },
    wait: "waited {t}",
    dial: "dialled {t}",
    talk: "talked {t}",
    hold: "held {t}",
    listen: "Listen to the recording: {who}",
    recording_broken: "The recording cannot be played.",

    fact_extension: "Extension",
    fact_queues: "Queues",
    fact_phone: "Phone",
    phone_registered: "registered",
    phone_lost: "not registered",
    fact_contact: "Call",
    supervise_as: "Listening",
    mode_listen: "Listen",
    mode_whisper: "Whisper",
    mode_barge: "Barge in",
    mode_take_over: "Take over",
    supervision_listen: "{who} listens to this call.",
    supervision_whisper: "{who} whispers to the operator.",
    supervision_barge: "{who} speaks with both.",
    supervision_take_over: "{who} takes this call over.",
    recording_is_on: "This call is being recorded.",
    recording_is_paused: "The recording is paused.",
    recording_is_off: "This call is not recorded.",
    recording_pause: "Pause",
    recording_resume: "Resume",
    recording_start: "Record",
    make_ready: "Ready",
    make_not_ready: "Not ready",
    make_logged_out: "Log out",
    own_reason: "Another reason",
    set: "Set",
    at_work: "On a call now: the new state begins after it.",
    no_phone: "The phone is not registered: no calls until it is.",
    refused: "Refused: {why}",
    not_sent: "Not sent: no connection to the server.",
    agent_gone: "This agent is no longer configured.",
  },
};

const KEPT = "ccserver.language";
let language = kept();

function kept() {
  try {
    return localStorage.getItem(KEPT) === "en" ? "en" : "ru";
  } catch {
    return "ru"; // a browser that keeps nothing still shows the page
  }
}

/** The text under a dotted key, with `{name}` filled in; a plural takes its form by `n`. */
export function t(key, values = {}) {
  let text = key.split(".").reduce((place, part) => place?.[part], TEXTS[language]);
  if (text && typeof text === "object") text = text[new Intl.PluralRules(language).select(values.n ?? 0)] ?? text.many ?? text.other;
  return text === undefined ? key : text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** A word that the server chose: translated where we know it, as it came where we do not. */
export function word(group, value) {
  return TEXTS[language][group][value] ?? value;
}

/** The page's fixed texts and labels. */
export function applyTexts(root) {
  document.documentElement.lang = language;
  document.title = t("title");
  for (const node of root.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of root.querySelectorAll("[data-label]")) node.setAttribute("aria-label", t(node.dataset.label));
  for (const node of root.querySelectorAll("[data-aria]")) node.setAttribute("aria-label", t(node.dataset.aria));
  for (const node of root.querySelectorAll("[data-placeholder]")) node.placeholder = t(node.dataset.placeholder);
}

/** Make a button change the language; `changed` redraws. */
export function switchOn(button, changed) {
  const label = () => {
    const other = language === "ru" ? "en" : "ru";
    button.textContent = TEXTS[other].language_name;
    button.lang = other;
  };
  button.addEventListener("click", () => {
    language = language === "ru" ? "en" : "ru";
    try {
      localStorage.setItem(KEPT, language);
    } catch {
      // not kept: the next visit begins in Russian again
    }
    label();
    changed();
  });
  label();
}

/** "ru" or "en", for dates. */
export function locale() {
  return language;
}
