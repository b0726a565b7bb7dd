/* A stand-in for NVIDIA's management library (NVML) with one card, for whole runs. The card is Mesa's software adapter, which
   computes in threads of the process that asks: it draws 300 W while one of them has something to do, whether or not other
   programs keep it from the processor, and 60 W otherwise.

   The file that the environment variable CARD_STATE names holds words, separated by spaces, for what is wrong with the card:
     lost          it no longer answers
     thermal       too hot: the driver slows it down
     brake         the power supply slows it down
     cap           held at its power limit
     forbidden     this user may not read its power, and it has no counter
     mig           the same of a card that is divided into slices (MIG)
     frozen        its energy counter never moves
     thousandth    power and energy are given in watts and joules instead of thousandths
     tenfold       the energy counter counts ten times too fast */
#define _GNU_SOURCE
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../../../support/nvml.h"

enum { POWER_AVERAGE = 185, POWER_INSTANT = 186, TOTAL_ENERGY = 83 };
enum { UNSIGNED_INT = 1, UNSIGNED_LONG_LONG = 3 };

static const char ADDRESS[] = "00000000:01:00.0";
static int the_card;

/* Whether the state has this word. */
static int is(const char *word) {
    char words[256] = "";
    const char *path = getenv("CARD_STATE");
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!file) return 0;
    words[fread(words, 1, sizeof words - 1, file)] = 0;
    fclose(file);
    char *rest;
    for (char *w = strtok_r(words, " \n", &rest); w; w = strtok_r(NULL, " \n", &rest))
        if (!strcmp(w, word)) return 1;
    return 0;
}

static double seconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The threads that have asked this library: they do not compute for the card. */
enum { MOST_CALLERS = 64 };
static long callers[MOST_CALLERS];

static int is_caller(long thread) {
    for (int i = 0; i < MOST_CALLERS && callers[i]; i++)
        if (callers[i] == thread) return 1;
    return 0;
}

static void add_caller(long thread) {
    for (int i = 0; i < MOST_CALLERS && callers[i] != thread; i++)
        if (!callers[i]) {
            callers[i] = thread;
            return;
        }
}

/* Whether a thread of this process that is no caller runs, or waits for a processor. */
static int is_working(void) {
    DIR *threads = opendir("/proc/self/task");
    if (!threads) return 0;
    int found = 0;
    for (struct dirent *entry; !found && (entry = readdir(threads));) {
        long thread = atol(entry->d_name);
        if (thread == 0 || is_caller(thread)) continue;
        char path[64], text[512] = "";
        snprintf(path, sizeof path, "/proc/self/task/%ld/stat", thread);
        FILE *file = fopen(path, "r");
        if (!file) continue;
        text[fread(text, 1, sizeof text - 1, file)] = 0;
        fclose(file);
        /* The state follows the thread's name, which is in brackets. */
        char *name_end = strrchr(text, ')');
        found = name_end && !strncmp(name_end, ") R", 3);
    }
    closedir(threads);
    return found;
}

/* What the card drew, renewed every PERIOD by whoever asks next. In between it is looked at as often as it is asked. */
#define PERIOD 0.1
enum { KEPT = 16 };
static struct { double time, joules; } ticks[KEPT];
static unsigned long renewed;
static double looks, looks_at_work, share, watts = 60.0;

typedef struct { double joules, instant, mean; } Drawn;

static Drawn drawn(void) {
    pthread_mutex_lock(&lock);
    add_caller(syscall(SYS_gettid));
    double now = seconds(CLOCK_MONOTONIC);
    if (renewed == 0) {
        for (int i = 0; i < KEPT; i++) {
            ticks[i].time = now - 1.0;
            ticks[i].joules = 5000.0;
        }
        ticks[0].time = now;
        ticks[0].joules += 60.0;
        renewed = 1;
    }
    looks++;
    looks_at_work += is_working();
    unsigned long last = (renewed - 1) % KEPT, next = renewed % KEPT;
    double passed = now - ticks[last].time;
    if (passed >= PERIOD) {
        /* No sensor shows quite the same twice. */
        double wobble = 1.0 + 0.0002 * ((double)(renewed * 7 % 11) - 5.0);
        /* When nobody asked for long, the whole machine was held up, and one look says little. */
        if (passed < 3.0 * PERIOD) share = looks_at_work / looks;
        watts = (60.0 + 240.0 * share) * wobble;
        ticks[next].time = now;
        ticks[next].joules = ticks[last].joules + watts * passed;
        renewed++;
        last = next;
        looks = looks_at_work = 0.0;
    }
    /* The newest tick that is a second old, or else the oldest that is kept. */
    unsigned long from = last;
    for (int i = 1; i < KEPT && ticks[last].time - ticks[from].time < 1.0; i++) from = (from + KEPT - 1) % KEPT;
    double over = ticks[last].time - ticks[from].time;
    Drawn result = {
        .joules = ticks[last].joules,
        .instant = watts,
        .mean = over > 0.0 ? (ticks[last].joules - ticks[from].joules) / over : watts,
    };
    pthread_mutex_unlock(&lock);
    return result;
}

/* Whether anything is told. */
static int refusal(void) { return is("lost") ? GPU_IS_LOST : OK; }

/* Whether power is told. */
static int no_power(void) {
    return is("lost") ? GPU_IS_LOST : is("mig") || is("forbidden") ? NO_PERMISSION : OK;
}

/* Whether energy is told. */
static int no_energy(void) {
    return is("lost") ? GPU_IS_LOST : is("mig") || is("forbidden") ? NOT_SUPPORTED : OK;
}

static double thousandths(double value) { return is("thousandth") ? value : 1000.0 * value; }

static unsigned long long energy(void) {
    if (is("frozen")) return 5198685762ull;
    return (unsigned long long)(thousandths(drawn().joules) * (is("tenfold") ? 10.0 : 1.0));
}

int nvmlInit_v2(void) { drawn(); return OK; }
int nvmlShutdown(void) { return OK; }

int nvmlSystemGetDriverVersion(char *into, unsigned size) {
    snprintf(into, size, "580.95.05");
    return OK;
}

int nvmlDeviceGetHandleByPciBusId_v2(const char *address, void **card) {
    if (strcasecmp(address, ADDRESS)) return NOT_FOUND;
    *card = &the_card;
    return refusal();
}

int nvmlDeviceGetName(void *card, char *into, unsigned size) {
    snprintf(into, size, "NVIDIA GeForce RTX 3080");
    return refusal();
}

int nvmlDeviceGetArchitecture(void *card, unsigned *into) {
    *into = 7;
    return refusal();
}

int nvmlDeviceGetTotalEnergyConsumption(void *card, unsigned long long *into) {
    *into = energy();
    return no_energy();
}

int nvmlDeviceGetPowerUsage(void *card, unsigned *into) {
    *into = (unsigned)thousandths(drawn().mean);
    return no_power();
}

int nvmlDeviceGetFieldValues(void *card, int count, Field *fields) {
    if (is("lost")) return GPU_IS_LOST;
    Drawn now = drawn();
    for (int i = 0; i < count; i++) {
        fields[i].result = fields[i].field == TOTAL_ENERGY ? no_energy() : no_power();
        fields[i].type = UNSIGNED_INT;
        switch (fields[i].field) {
        case POWER_AVERAGE: fields[i].value.word = (unsigned)thousandths(now.mean); break;
        case POWER_INSTANT: fields[i].value.word = (unsigned)thousandths(now.instant); break;
        case TOTAL_ENERGY: fields[i].type = UNSIGNED_LONG_LONG, fields[i].value.wide = energy(); break;
        default: fields[i].result = NOT_SUPPORTED;
        }
    }
    return OK;
}

int nvmlDeviceGetEnforcedPowerLimit(void *card, unsigned *into) {
    *into = 320000;
    return is("mig") ? NOT_SUPPORTED : refusal();
}

int nvmlDeviceGetPowerManagementLimitConstraints(void *card, unsigned *least, unsigned *most) {
    *least = 100000;
    *most = 370000;
    return is("mig") ? NOT_SUPPORTED : refusal();
}

int nvmlDeviceGetMigMode(void *card, unsigned *current, unsigned *pending) {
    *current = *pending = is("mig");
    return refusal();
}

int nvmlDeviceGetClockInfo(void *card, unsigned clock, unsigned *into) {
    /* 1 streaming multiprocessors, 2 memory. */
    *into = clock == 1 ? 1710 : 9501;
    return clock == 1 || clock == 2 ? refusal() : NOT_SUPPORTED;
}

int nvmlDeviceGetCurrentClocksThrottleReasons(void *card, unsigned long long *into) {
    *into = (is("cap") ? 0x4 : 0) | (is("thermal") ? 0x20 : 0) | (is("brake") ? 0x88 : 0);
    return refusal();
}

int nvmlDeviceGetTemperature(void *card, unsigned sensor, unsigned *into) {
    *into = is("thermal") ? 94 : 61;
    return sensor == 0 ? refusal() : NOT_SUPPORTED;
}
