/* A driver library as far as the tests need one. The file STATE has the answers of its cards, one per line: card, query and
   answer, which may be no-permission. A query without a line is not supported. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../support/nvml.h"

static int answer(long card, const char *asked, char *into) {
    char line[256], key[64], text[160];
    long of;
    int result = NOT_SUPPORTED;
    FILE *state = fopen(STATE, "r");
    if (!state) return NOT_SUPPORTED;
    while (fgets(line, sizeof line, state)) {
        if (sscanf(line, "%ld %63s %159[^\n]", &of, key, text) != 3 || of != card) continue;
        if (!strcmp(key, "lost")) { result = GPU_IS_LOST; break; }
        if (!strcmp(key, asked)) { strcpy(into, text); result = strcmp(text, "no-permission") ? OK : NO_PERMISSION; }
    }
    fclose(state);
    return result;
}

static int word(void *card, const char *asked, unsigned *into) {
    char text[160];
    int result = answer((long)card - 1, asked, text);
    if (result == OK) *into = strtoul(text, 0, 10);
    return result;
}

int nvmlInit_v2(void) { return OK; }
int nvmlShutdown(void) { return OK; }

int nvmlSystemGetDriverVersion(char *into, unsigned size) {
    snprintf(into, size, "580.95.05");
    return OK;
}

/* Only the library's own way to write an address is understood. */
int nvmlDeviceGetHandleByPciBusId_v2(const char *address, void **card) {
    char text[160];
    for (long i = 0; i < 2; i++) {
        int result = answer(i, "pci", text);
        if (result == GPU_IS_LOST) return result;
        if (result == OK && !strcmp(text, address)) { *card = (void *)(i + 1); return OK; }
    }
    return NOT_FOUND;
}

int nvmlDeviceGetName(void *card, char *into, unsigned size) {
    char text[160];
    int result = answer((long)card - 1, "name", text);
    if (result == OK) snprintf(into, size, "%s", text);
    return result;
}

int nvmlDeviceGetTotalEnergyConsumption(void *card, unsigned long long *into) {
    char text[160];
    int result = answer((long)card - 1, "energy", text);
    if (result == OK) *into = strtoull(text, 0, 10);
    return result;
}

int nvmlDeviceGetFieldValues(void *card, int count, Field *fields) {
    for (int i = 0; i < count; i++) {
        char text[160], asked[32];
        snprintf(asked, sizeof asked, "field%u", fields[i].field);
        fields[i].result = answer((long)card - 1, asked, text);
        if (fields[i].result == GPU_IS_LOST) return GPU_IS_LOST;
        if (fields[i].result != OK) continue;
        if (!strcmp(text, "nan")) { fields[i].type = 0; fields[i].value.real = strtod(text, 0); }
        else { fields[i].type = 1; fields[i].value.word = strtoul(text, 0, 10); }
    }
    return OK;
}

int nvmlDeviceGetPowerManagementLimitConstraints(void *card, unsigned *least, unsigned *most) {
    *least = 1000;
    return word(card, "max-limit", most);
}

int nvmlDeviceGetClockInfo(void *card, unsigned clock, unsigned *into) {
    /* 0 graphics, 1 streaming multiprocessors, 2 memory. */
    return clock == 1 ? word(card, "sm-clock", into)
         : clock == 2 ? word(card, "memory-clock", into) : NOT_SUPPORTED;
}

int nvmlDeviceGetCurrentClocksThrottleReasons(void *card, unsigned long long *into) {
    unsigned bits = 0;
    int result = word(card, "throttle", &bits);
    *into = bits;
    return result;
}

int nvmlDeviceGetTemperature(void *card, unsigned sensor, unsigned *into) {
    return sensor == 0 ? word(card, "temperature", into) : NOT_SUPPORTED;
}

int nvmlDeviceGetMigMode(void *card, unsigned *now, unsigned *later) {
    int result = word(card, "mig", now);
    *later = result == OK ? *now : 0;
    return result;
}

int nvmlDeviceGetPowerUsage(void *card, unsigned *into) { return word(card, "power", into); }
int nvmlDeviceGetEnforcedPowerLimit(void *card, unsigned *into) { return word(card, "limit", into); }
int nvmlDeviceGetArchitecture(void *card, unsigned *into) { return word(card, "architecture", into); }
