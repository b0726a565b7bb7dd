/* A Vulkan layer that shows Mesa's software adapter as a discrete card at a PCI address. The few structures of the Vulkan
   and loader interfaces that it needs are declared here, so that no Vulkan headers are needed to build it. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define PCI_BUS_INFO "VK_EXT_pci_bus_info"

enum { SUCCESS = 0, INITIALIZATION_FAILED = -3 };
enum { LOADER_INSTANCE_CREATE_INFO = 47, PCI_BUS_INFO_PROPERTIES = 1000212000 };
enum { DEVICE_TYPE_DISCRETE_GPU = 2, DEVICE_TYPE_CPU = 4 };
enum { LAYER_LINK_INFO = 0 };

typedef void (*Function)(void);
typedef Function (*GetProcAddr)(void *instance, const char *name);

typedef struct Chained { int type; struct Chained *next; } Chained;
/* The start of VkPhysicalDeviceProperties. */
typedef struct { uint32_t api, driver, vendor, device; int type; char name[256]; } Properties;
/* The start of VkPhysicalDeviceProperties2. The properties hold 64-bit members, so they are aligned to 8 bytes. */
typedef struct { int type; Chained *next; _Alignas(8) Properties properties; } Properties2;
typedef struct { int type; void *next; uint32_t domain, bus, device, function; } PciBusInfo;
typedef struct { char name[256]; uint32_t version; } Extension;
typedef struct Link { struct Link *next; GetProcAddr get_proc_addr, get_physical_device_proc_addr; } Link;
typedef struct { int type; Chained *next; int function; Link *link; } LayerCreateInfo;
typedef struct { int type; void *next; uint32_t version; GetProcAddr instance, device, physical_device; } Negotiation;

static GetProcAddr next_get_proc_addr;
static int (*next_create_instance)(const Chained *, const void *, void **);
static void (*next_properties)(void *, Properties *);
static void (*next_properties2)(void *, Properties2 *);
static int (*next_extensions)(void *, const char *, uint32_t *, Extension *);

static void disguise(Properties *properties) {
    if (properties->type != DEVICE_TYPE_CPU) return;
    properties->type = DEVICE_TYPE_DISCRETE_GPU;
    properties->vendor = 0x10de;
    properties->device = 0x2206;
    snprintf(properties->name, sizeof properties->name, "NVIDIA GeForce RTX 3080");
}

static void get_properties(void *device, Properties *properties) {
    next_properties(device, properties);
    disguise(properties);
}

static void get_properties2(void *device, Properties2 *properties) {
    next_properties2(device, properties);
    int is_software = properties->properties.type == DEVICE_TYPE_CPU;
    disguise(&properties->properties);
    for (Chained *more = properties->next; more && is_software; more = more->next) {
        if (more->type != PCI_BUS_INFO_PROPERTIES) continue;
        PciBusInfo *address = (PciBusInfo *)more;
        address->domain = address->device = address->function = 0;
        address->bus = 1;
    }
}

/* The driver's extensions, and the one that tells the PCI address. */
static int get_extensions(void *device, const char *layer, uint32_t *count, Extension *into) {
    if (layer) return next_extensions(device, layer, count, into);
    Extension all[1024];
    uint32_t there = 1023;
    int result = next_extensions(device, NULL, &there, all);
    if (result != SUCCESS) return result;
    int has_address = 0;
    for (uint32_t i = 0; i < there; i++) has_address |= !strcmp(all[i].name, PCI_BUS_INFO);
    if (!has_address) {
        snprintf(all[there].name, sizeof all[there].name, PCI_BUS_INFO);
        all[there++].version = 2;
    }
    if (!into) { *count = there; return SUCCESS; }
    uint32_t room = *count;
    *count = there < room ? there : room;
    memcpy(into, all, *count * sizeof *into);
    return there <= room ? SUCCESS : 5 /* VK_INCOMPLETE */;
}

static int create_instance(const Chained *info, const void *allocator, void **instance) {
    LayerCreateInfo *layer = (LayerCreateInfo *)info->next;
    while (layer && !(layer->type == LOADER_INSTANCE_CREATE_INFO && layer->function == LAYER_LINK_INFO))
        layer = (LayerCreateInfo *)layer->next;
    if (!layer) return INITIALIZATION_FAILED;
    next_get_proc_addr = layer->link->get_proc_addr;
    layer->link = layer->link->next;
    next_create_instance = (void *)next_get_proc_addr(NULL, "vkCreateInstance");
    int result = next_create_instance(info, allocator, instance);
    if (result != SUCCESS) return result;
    next_properties = (void *)next_get_proc_addr(*instance, "vkGetPhysicalDeviceProperties");
    next_properties2 = (void *)next_get_proc_addr(*instance, "vkGetPhysicalDeviceProperties2");
    if (!next_properties2)
        next_properties2 = (void *)next_get_proc_addr(*instance, "vkGetPhysicalDeviceProperties2KHR");
    next_extensions = (void *)next_get_proc_addr(*instance, "vkEnumerateDeviceExtensionProperties");
    return SUCCESS;
}

static Function get_proc_addr(void *instance, const char *name) {
    const struct { const char *name; Function function; } own[] = {
        {"vkCreateInstance", (Function)create_instance},
        {"vkGetInstanceProcAddr", (Function)get_proc_addr},
        {"vkGetPhysicalDeviceProperties", (Function)get_properties},
        {"vkGetPhysicalDeviceProperties2", (Function)get_properties2},
        {"vkGetPhysicalDeviceProperties2KHR", (Function)get_properties2},
        {"vkEnumerateDeviceExtensionProperties", (Function)get_extensions},
    };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (!strcmp(name, own[i].name)) return own[i].function;
    return next_get_proc_addr ? next_get_proc_addr(instance, name) : NULL;
}

/* Without a function of its own for devices, the loader leaves the layer out of what devices are called through. */
EXPORT int vkNegotiateLoaderLayerInterfaceVersion(Negotiation *negotiation) {
    negotiation->version = 2;
    negotiation->instance = get_proc_addr;
    negotiation->device = NULL;
    negotiation->physical_device = NULL;
    return SUCCESS;
}
