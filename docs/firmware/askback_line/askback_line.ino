// Askback's line protocol (docs/protocols/line.md) for an arm of hobby servos on an Arduino-class board.
// Fill in JOINTS, then load. Needs the Servo library that comes with the Arduino tools. Uses about 1 kB of RAM.
//
// Hobby servos do not tell where they are: what is reported is where they have been told to be by now.

#include <Servo.h>
#include <stdlib.h>
#include <string.h>

const char NAME[] = "my-arm";
const unsigned long BAUD = 115200;
const unsigned long WATCHDOG_MS = 500;
const unsigned long TICK_MS = 10;
const int LONGEST = 160;

struct Joint {
  const char *name;
  int pin;
  long lower, upper;     // thousandths of a radian (the gripper: 0 open to 1000 closed)
  long speed;            // the same per second
  int pulseAtLower, pulseAtUpper;  // microseconds
};

// The gripper is the last row and does not count as a joint.
const Joint JOINTS[] = {
  {"base",      3, -1570, 1570, 2000,  600, 2400},
  {"shoulder",  5, -1200, 1200, 1500,  700, 2300},
  {"elbow",     6, -1500, 1500, 1500,  600, 2400},
  {"wrist",     9, -1570, 1570, 2500,  600, 2400},
  {"gripper",  10,     0, 1000, 2000, 1000, 2000},
};
const int ROWS = sizeof(JOINTS) / sizeof(JOINTS[0]);
const int COUNT = ROWS - 1;

Servo servos[ROWS];
float at[ROWS];       // where each row is by now
long target[ROWS];
char state = 'L';     // L limp, A moving, K keeping still, W keeping still (watchdog), X stopped
unsigned long fed = 0, ticked = 0;

char line[LONGEST + 1];
int length = 0;
bool overlong = false;

uint16_t crc16(const char *data, int count) {
  uint16_t crc = 0xFFFF;
  for (int i = 0; i < count; i++) {
    crc ^= (uint16_t)(uint8_t)data[i] << 8;
    for (int bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
  }
  return crc;
}

// One answer is put together here, then sent with its checksum.
char answer[LONGEST + 1];
int filled = 0;

void put(const char *text) {
  while (*text && filled < LONGEST - 6) answer[filled++] = *text++;
}

void put(long number) {
  char digits[12];
  ltoa(number, digits, 10);
  put(" ");
  put(digits);
}

void send() {
  char sum[7];
  snprintf(sum, sizeof sum, "*%04X\n", crc16(answer, filled));
  Serial.write(answer, filled);
  Serial.print(sum);
}

void keep(char newState) {
  state = newState;
  for (int i = 0; i < ROWS; i++) target[i] = lround(at[i]);
}

void switchOn() {
  for (int i = 0; i < ROWS; i++) servos[i].attach(JOINTS[i].pin);
  keep('K');
}

void switchOff() {
  for (int i = 0; i < ROWS; i++) servos[i].detach();
  state = 'L';
}

void drive() {
  for (int i = 0; i < ROWS; i++) {
    const Joint &j = JOINTS[i];
    float step = j.speed * (TICK_MS / 1000.0);
    at[i] += constrain(target[i] - at[i], -step, step);
    float share = (at[i] - j.lower) / (float)(j.upper - j.lower);
    if (state != 'L') servos[i].writeMicroseconds(j.pulseAtLower + share * (j.pulseAtUpper - j.pulseAtLower));
  }
}

void putWhere() {
  char word[3] = {' ', state, 0};
  put(word);
  for (int i = 0; i < ROWS; i++) put(lround(at[i]));
}

// Whole numbers after the word; -1 if there is anything else.
int numbers(char *text, long *values, int most) {
  int count = 0;
  for (char *part = strtok(text, " "); part; part = strtok(NULL, " ")) {
    char *end;
    long value = strtol(part, &end, 10);
    if (*end || count == most) return -1;
    values[count++] = value;
  }
  return count;
}

const char *move(char *rest) {
  long wanted[ROWS];
  if (numbers(rest, wanted, ROWS) != ROWS) return "numbers";
  if (state == 'X') return "stopped";
  if (state == 'L') return "limp";
  for (int i = 0; i < ROWS; i++)
    if (wanted[i] < JOINTS[i].lower || wanted[i] > JOINTS[i].upper) return "range";
  memcpy(target, wanted, sizeof target);
  state = 'A';
  fed = millis();
  return NULL;
}

// Carries out a line and appends the answer's words; returns why not, or NULL.
const char *obey(char *word, char *rest) {
  long values[1];
  if (word[1]) return "word";
  switch (word[0]) {
    case 'H':
      put(" ok ABL1"); put((long)COUNT); put((long)WATCHDOG_MS); put(" "); put(NAME);
      return NULL;
    case 'J': {
      if (numbers(rest, values, 1) != 1) return "numbers";
      if (values[0] < 0 || values[0] >= COUNT) return "range";
      const Joint &j = JOINTS[values[0]];
      put(" ok"); put(j.lower); put(j.upper); put(j.speed); put(" "); put(j.name);
      return NULL;
    }
    case 'M': {
      const char *why = move(rest);
      if (why) return why;
      break;
    }
    case 'Q': break;
    case 'K': if (state == 'A' || state == 'W') keep('K'); break;
    case 'X': keep('X'); break;
    case 'R': if (state == 'X') keep('K'); break;
    case 'E': if (state == 'L') switchOn(); break;
    case 'Z':
      if (state == 'X') return "stopped";
      switchOff();
      break;
    default: return "word";
  }
  put(" ok");
  putWhere();
  return NULL;
}

void heard() {
  line[length] = 0;
  char *star = strrchr(line, '*');
  if (!star || strlen(star) != 5) return;  // damaged: silence
  char sum[5];
  snprintf(sum, sizeof sum, "%04X", crc16(line, star - line));
  if (strcmp(sum, star + 1)) return;
  *star = 0;
  char *space = strchr(line, ' ');
  if (!space || space == line) return;
  *space = 0;
  char *word = space + 1;
  char *rest = strchr(word, ' ');
  if (rest) *rest++ = 0;
  char nothing[1] = {0};
  filled = 0;
  put(line);
  int number = filled;
  const char *why = obey(word, rest ? rest : nothing);
  if (why) {
    filled = number;
    put(" no ");
    put(why);
  }
  send();
}

void listen() {
  while (Serial.available()) {
    char c = Serial.read();
    if (c == '\n' || c == '\r') {
      if (length && !overlong) heard();
      length = 0;
      overlong = false;
    } else if (length < LONGEST) {
      line[length++] = c;
    } else {
      overlong = true;
    }
  }
}

void setup() {
  Serial.begin(BAUD);
  for (int i = 0; i < ROWS; i++) at[i] = target[i] = constrain(0L, JOINTS[i].lower, JOINTS[i].upper);
}

void loop() {
  listen();
  unsigned long now = millis();
  if (state == 'A' && now - fed > WATCHDOG_MS) keep('W');
  if (now - ticked >= TICK_MS) {
    ticked = now;
    drive();
  }
}
