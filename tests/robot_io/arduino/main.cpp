// Runs the sketch: "@MS" lets so many milliseconds pass, "?" asks for a full stop after what was answered, other lines are heard.
#include "Arduino.h"
void setup();
void loop();

int main() {
  setup();
  char *text = nullptr;
  size_t size = 0;
  ssize_t count;
  while ((count = getline(&text, &size, stdin)) > 0) {
    if (text[0] == '@') {
      for (unsigned long end = millis() + strtoul(text + 1, nullptr, 10); millis() < end; now_ms()++) loop();
    } else if (text[0] == '?') {
      puts(".");
      fflush(stdout);
    } else {
      Serial.coming.insert(Serial.coming.end(), text, text + count);
      loop();
    }
  }
}
