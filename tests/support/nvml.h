/* What both stand-ins for NVIDIA's management library (NVML) need of its interface: return codes, and a field's value. */
enum { OK = 0, NOT_SUPPORTED = 3, NO_PERMISSION = 4, NOT_FOUND = 6, GPU_IS_LOST = 15 };

typedef struct {
    unsigned field, scope;
    long long stamp, latency;
    unsigned type, result;
    union { double real; unsigned word; unsigned long long wide; } value;
} Field;
